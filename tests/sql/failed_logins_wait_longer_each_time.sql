-- After the fifth attempt each has to wait, twice as long each time, and never for good: a stranger locks
-- nobody out. It is counted before its password is compared, so that many at once count like one after
-- the other. What is counted is the gateway's choice.

\ir prelude/central.sql

create function test.later(subject bytea) returns void language sql security definer as
$$ update sec.throttle t set blocked_until = clock_timestamp() where t.subject = later.subject $$;

set session authorization tpv_gateway_auth;
do $$
declare
    ana bytea := sha256('ana 192.0.2.1');
    until timestamptz;
    waits numeric[] := '{}';
begin
    for n in 1..5 loop
        perform test.equal(sec.take_attempt(ana) is null, true, 'five are free, whatever becomes of them');
    end loop;
    for n in 1..15 loop
        until := sec.take_attempt(ana);
        perform test.equal(sec.take_attempt(ana), until, 'who is refused is not counted');
        waits := waits || round(extract(epoch from until - clock_timestamp()), 0);
        perform test.later(ana);
        perform test.equal(sec.take_attempt(ana) is null, true, 'then one more');
    end loop;
    perform test.equal(waits[1:6], '{1,2,4,8,16,32}'::numeric[], 'a second, then twice as long');
    perform test.equal(waits[15], 900, 'never longer than a quarter of an hour');
    perform test.equal(sec.take_attempt(sha256('eva 192.0.2.1')) is null, true, 'another one is free');
    perform test.equal(sec.take_attempt(sha256('ana 192.0.2.2')) is null, true, 'and so is she from elsewhere');
    perform sec.forget_attempts(ana);
    perform test.equal(sec.take_attempt(ana) is null, true, 'who gets in is free again');
    -- What came to nothing does not count.
    for n in 1..20 loop
        perform sec.return_attempt(ana);
        perform test.equal(sec.take_attempt(ana) is null, true, 'nothing was compared');
    end loop;
end
$$;
reset session authorization;
do $$
begin
    delete from sec.throttle;
    perform sec.take_attempt(sha256('a')) from generate_series(1, 9);
    update sec.throttle set last_failed_at = now() - interval '25 hours', blocked_until = null;
    perform sec.take_attempt(sha256('a'));
    perform test.equal((select failures from sec.throttle), 1, 'a day later it is forgotten');
    update sec.throttle set last_failed_at = now() - interval '25 hours';
    perform sec.prune();
    perform test.equal((select count(*) from sec.throttle), 0, 'and removed');
end
$$;
