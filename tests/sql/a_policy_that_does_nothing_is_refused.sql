-- A rule that the merge does not know, or does not do yet, is refused where it is written.
do $$
declare
    rule jsonb;
begin
    foreach rule in array array['"owner_wins"', '{"rule": "custom", "function": "f"}', '"newest"', '{}', '7', 'null']::jsonb[] loop
        begin
            insert into sync.policy (entity, column_name, rule) values ('party.customer', 'phone', rule);
            raise exception 'taken: %', rule;
        exception when check_violation then null;
        end;
    end loop;
    insert into sync.policy (entity, column_name, rule) values ('party.customer', 'phone', '"first_write"');
    insert into sync.policy (entity, column_name, rule) values ('party.customer', 'name', '{"rule": "greatest"}');
end
$$;
