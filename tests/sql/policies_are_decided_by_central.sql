-- A store decides no policy, also before it joins; and what central says about what is central's wins.
\ir prelude/store.sql

do $$
begin
    assert (select (state, message) from test.refusal($q$update sync.policy set rule = '"last_write"'$q$))::text
        = '(42501,"policies are decided by central")';
    assert (select state from test.refusal($q$insert into sync.policy (table_name, column_name, rule) values ('party.customer', 'phone', '"union"')$q$)) = '42501';
    assert (select array_agg(policy_id = sync.policy_key(table_name, column_name)) from sync.policy) = '{t,t,t}';
end
$$;
