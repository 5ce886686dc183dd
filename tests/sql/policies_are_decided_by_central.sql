-- A store decides no policy, also before it joins; and what central says about what is central's wins.
\ir prelude/store.sql

do $$
begin
    perform test.refused($q$update sync.policy set rule = '"last_write"'$q$,
        '42501', 'policies are decided by central', 'a store changes no policy');
    perform test.refused(
        $q$insert into sync.policy (table_name, column_name, rule) values ('party.customer', 'phone', '"review"')$q$,
        '42501', what => 'and adds none');
    perform test.equal((select array_agg(policy_id = sync.policy_key(table_name, column_name)) from sync.policy),
        '{t,t}', 'the key of a policy follows from its column');
end
$$;
