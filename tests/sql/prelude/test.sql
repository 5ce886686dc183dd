-- How tests say what they want. Whoever a test is at the moment may use it.

create schema test;
grant usage on schema test to public;

-- `actual` must be `expected`; a failure says what it is, and shows both. A test that expects null
-- says so with an assert.
create function test.equal(actual anycompatible, expected anycompatible, what text) returns void
language plpgsql as $$
begin
    if num_nulls(expected) > 0 or actual is distinct from expected then
        raise assert_failure using message =
            format(e'%s\n  is:        %s\n  should be: %s', what, coalesce(actual::text, 'null'),
                coalesce(expected::text, 'null'));
    end if;
end
$$;

-- How a statement is refused; what it did is kept where it was not.
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

-- A statement must be refused with this SQLSTATE, and with texts that are LIKE these.
create function test.refused(statement text, state text, message_like text default '%', what text default null,
    detail_like text default null, hint_like text default null) returns void
language plpgsql as $$
declare
    refusal record;
begin
    select * into refusal from test.refusal(refused.statement);
    if refusal.state is distinct from refused.state or refusal.message not like message_like
        or detail_like is not null and coalesce(refusal.detail, '') not like detail_like
        or hint_like is not null and coalesce(refusal.hint, '') not like hint_like
    then
        raise assert_failure using message
            = format(e'%s\n  is:        %s %s\n  detail:    %s\n  hint:      %s\n  should be: %s %s',
            coalesce(what, refused.statement), refusal.state, refusal.message, refusal.detail, refusal.hint,
            concat_ws(' ', refused.state, message_like), concat_ws(' ', detail_like, hint_like));
    end if;
end
$$;
