-- Central, number 100, and how a statement is refused.

set client_min_messages = error;
set role tpv_owner;
select org.register_central(100, 'CENTRAL') \g /dev/null
reset role;
reset client_min_messages;

create schema test;
grant usage on schema test to public;

create function test.refusal(statement text) returns table (state text, message text, detail text, hint text)
language plpgsql as $$
begin
    begin
        execute statement;
    exception when others then
        get stacked diagnostics state = returned_sqlstate, message = message_text, detail = pg_exception_detail,
            hint = pg_exception_hint;
        return next;
        return;
    end;
    state := '00000';
    message := 'it was not refused';
    return next;
end
$$;
