-- A refresh token says a number. The number that is good gives the next; the one before it gives the
-- same again for a moment, as when an answer was lost; any other means that somebody has a copy.

\ir prelude/central.sql
\ir prelude/people.sql

select test.hire('ana', 'cashier'), test.hire('eva', 'cashier') \g /dev/null
create table test.token_of as select code, (test.session(code, 'cashier')).session_id from unnest(array['ana', 'eva']) code;
create function test.sid(code text) returns uuid language sql stable security definer as $$ select session_id from test.token_of t where t.code = sid.code $$;
create function test.refresh(code text, counter integer, used boolean default false) returns text language sql as $$
    select concat_ws(' ', r.outcome, r.counter, r.role, r.authz) from sec.refresh_session(test.sid(code), refresh.counter, used) r
$$;

set session authorization tpv_gateway_auth;
do $$
begin
    perform test.equal(test.refresh('ana', 1), 'rotated 2 cashier 2', 'the first');
    perform test.equal(test.refresh('ana', 1), 'repeated 2 cashier 2', 'the answer was lost');
    perform test.equal(test.refresh('ana', 1), 'repeated 2 cashier 2', 'twice');
    perform test.equal(test.refresh('ana', 2), 'rotated 3 cashier 2', 'the next');
    perform test.equal((select count(*) from sec.refresh_session(test.sid('ana'), 3, false) r
        where r.expires_at between now() + interval '11 hours' and now() + interval '13 hours'), 1, 'it is good for half a day');
    perform test.equal(test.refresh('ana', 2), 'dead', 'two behind');
    perform test.equal(test.refresh('ana', 4), 'dead', 'and after that anything');
    perform test.equal((select count(*) from sec.refresh_session(gen_random_uuid(), 1, false) r where r.outcome = 'dead'), 1, 'no session');
end
$$;
reset session authorization;

do $$
declare
    sid uuid;
begin
    perform test.equal((select ended_why from sec.session where session_id = test.sid('ana')), 'REFRESH_REUSED', 'why it ended');
    perform test.equal((select count(*) from sec.audit where event = 'REFRESH_REUSED'), 1, 'which is a security event');

    -- One behind, and a token of the new number was used: its answer was not lost.
    sid := (test.session('eva', 'cashier')).session_id;
    perform sec.refresh_session(sid, 1, false);
    perform test.equal((select outcome from sec.refresh_session(sid, 1, true)), 'dead', 'the new token was used');
    -- One behind, and too late.
    sid := (test.session('eva', 'cashier')).session_id;
    perform sec.refresh_session(sid, 1, false);
    update sec.session set rotated_at = clock_timestamp() - interval '31 seconds' where session_id = sid;
    perform test.equal((select outcome from sec.refresh_session(sid, 1, false)), 'dead', 'after half a minute');
    perform test.equal((select count(*) from sec.audit where event = 'REFRESH_REUSED'), 3, 'both are events');

    -- Idle, old.
    sid := (test.session('eva', 'cashier')).session_id;
    update sec.session set rotated_at = clock_timestamp() - interval '12 hours' where session_id = sid;
    perform test.equal((select outcome from sec.refresh_session(sid, 1, false)), 'dead', 'nobody used it for half a day');
    perform test.equal((select ended_why from sec.session where session_id = sid), 'IDLE', 'idle');
    sid := (test.session('eva', 'cashier')).session_id;
    update sec.session set expires_at = clock_timestamp() where session_id = sid;
    perform test.equal((select outcome from sec.refresh_session(sid, 1, false)), 'dead', 'after thirty days');
    perform test.equal((select ended_why from sec.session where session_id = sid), 'EXPIRED', 'expired');

    -- A change of what she may ends it.
    sid := (test.session('eva', 'cashier')).session_id;
    perform test.hire('eva', 'supervisor');
    perform test.equal((select outcome from sec.refresh_session(sid, 1, false)), 'dead', 'she may something else');
    perform test.equal((select ended_why from sec.session where session_id = sid), 'REVOKED', 'revoked');
    perform test.equal((select count(*) from sec.audit where event = 'REFRESH_REUSED'), 3, 'none of these is an event');

    -- Ended is ended, and the others go on.
    sid := (test.session('eva', 'supervisor')).session_id;
    perform test.equal(sec.end_sessions(test.employee('eva'), sid, 'LOGOUT_ALL') > 0, true, 'all others');
    perform test.equal((select outcome from sec.refresh_session(sid, 1, false)), 'rotated', 'but this one');
    perform sec.end_session(sid, 'LOGOUT'), sec.end_session(sid, 'AGAIN');
    perform test.equal((select ended_why from sec.session where session_id = sid), 'LOGOUT', 'the first reason stands');
    perform test.equal((select outcome from sec.refresh_session(sid, 2, false)), 'dead', 'it is over');

    -- What is over is kept for a week.
    update sec.session set ended_at = now() - interval '8 days' where ended_at is not null and session_id <> sid;
    perform sec.prune();
    perform test.equal((select count(*) from sec.session where ended_at is not null), 1, 'what ended just now');
end
$$;
