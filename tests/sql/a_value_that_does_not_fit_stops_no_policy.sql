-- Any node may have written a value that its column cannot hold. A policy that chooses it changes all
-- the same, and the row waits.

\ir prelude/central.sql
\ir prelude/arrivals.sql

set role tpv_owner;
insert into sync.policy (table_name, column_name, rule) values ('party.customer', 'credit_limit', '"first_write"')
on conflict (table_name, column_name) do update set rule = excluded.rule;
insert into party.customer (customer_id, name, credit_limit) values ('00000000-0000-7000-8000-0000000000aa', 'Ana', 5);
reset role;
select test.arrives(2, 1, tpv.hlc_now(), 'party.customer', '00000000-0000-7000-8000-0000000000aa', '{"credit_limit":"many"}') \g /dev/null
delete from sync.quarantine;

set role tpv_owner;
update sync.policy set rule = '"last_write"' where table_name = 'party.customer' and column_name = 'credit_limit';
reset role;

do $$
declare
    aa text := '00000000-0000-7000-8000-0000000000aa';
begin
    perform test.equal((select rule #>> '{}' from sync.policy where column_name = 'credit_limit'), 'last_write', 'it is changed');
    perform test.equal(test.customer(aa) ->> 'credit_limit', '5.00', 'the row is as it was');
    perform test.equal((select string_agg(concat_ws(' ', code, key, entire), ',') from sync.quarantine where resolved_at is null),
        '22P02 ' || aa || ' t', 'and waits');
    -- The policy chooses another value again.
    update sync.policy set rule = '"first_write"' where column_name = 'credit_limit';
    perform test.equal((select bool_and(sync.replay(quarantine_id)) from sync.quarantine where resolved_at is null), true, 'it is done');
end
$$;
