-- Somebody with a login of her own and a role of schema own. What she sees is in sec.login_scope, for
-- the role that she has set; and nobody else reads or writes that.

\ir prelude/central.sql
\ir prelude/people.sql

select test.node(1, 'S01', '01 02'), test.node(2, 'S02', '01') \g /dev/null
insert into sales.receipt
select n, gen_random_uuid(), date '2026-03-01' + day, 'T', d, '', day::text, 'x', now(), now(), now(), 1, 1, 1, 0, 'accepted', 'accepted', null, null, null, '{}'
from generate_series(1, 2) n cross join unnest(array['01', '02']) d cross join generate_series(1, 3) day where n = 1 or d = '01';

create role desk_7 login in role tpv_cashier, tpv_auditor, tpv_concessionaire;
create role desk_8 login in role tpv_cashier;
insert into sec.login_scope (login, role, node_id, department_code, valid_from, valid_to) values
    ('desk_7', 'cashier', 1, null, null, null), ('desk_7', 'auditor', null, null, null, null),
    ('desk_7', 'concessionaire', 1, '02', '2026-03-03', null), ('desk_8', 'cashier', 2, null, null, current_date - 1);

set session authorization desk_7;
do $$
begin
    perform test.equal((select count(*) from own.receipt), 0, 'a role that is not set is none');
    set local role tpv_cashier;
    perform test.equal((select count(*) from own.receipt), 6, 'her store');
    perform test.equal((select (code is null, role, scope)::text from own.me), '(t,cashier,"[{""to"": null, ""from"": null, ""node"": 1, ""department"": null}]")',
        'she is nobody of the chain');
    set local role tpv_auditor;
    perform test.equal((select count(*) from own.receipt), 9, 'another role, another scope');
    perform test.equal((select count(*) from own.employee), 0, 'what an auditor reads');
    set local role tpv_concessionaire;
    perform test.equal((select array_agg(business_date order by business_date) from own.receipt), '{2026-03-03,2026-03-04}'::date[], 'a lease has days');
    reset role;
    perform test.equal((select count(*) from own.receipt), 0, 'and none again');
    set local role tpv_cashier;
    perform test.refused('select * from sec.login_scope', '42501');
    perform test.refused('insert into sec.login_scope (login, role) values (''desk_7'', ''cashier'')', '42501');
    perform test.refused('select sec.enter(gen_random_uuid(), gen_random_uuid(), ''cashier'', 1)', '42501', 'people enter by the gateway',
        what => 'a session is no login''s of psql, whatever she knows of it');
    perform test.refused('select tpv.may_see(2, null, null)', '42501', what => 'the schema of the extension is closed');
    perform test.refused('select * from sales.receipt', '42501');
    -- What she may is asked of her role, and recorded of her login.
    perform own.create_customer('{"name": "Rosa"}');
    perform test.refused('select own.erase_customer(''{}'')', '42501');
end
$$;
-- It is kept for a transaction, and read again in the next.
begin;
set local role tpv_cashier;
select test.equal((select count(*) from own.receipt), 6, 'as before') \g /dev/null
reset role;
commit;
set session authorization desk_8;
begin;
set local role tpv_cashier;
select test.equal((select count(*) from own.receipt), 0, 'her time is over') \g /dev/null
commit;
reset session authorization;
update sec.login_scope set valid_to = null where login = 'desk_8';
set session authorization desk_8;
begin;
set local role tpv_cashier;
select test.equal((select count(*) from own.receipt), 3, 'and begins again') \g /dev/null
savepoint attempt;
rollback to attempt;
select test.equal((select count(*) from own.receipt), 3, 'also after a savepoint') \g /dev/null
commit;
-- A barrier lets no function of hers see a row before it was judged.
begin;
set local role tpv_cashier;
do $$
begin
    perform count(*) from own.receipt where 1 / (node_id - 1) > 0;
end
$$;
commit;
reset session authorization;
drop owned by desk_7, desk_8;
drop role desk_7, desk_8;
