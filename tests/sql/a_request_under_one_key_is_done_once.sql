-- A client that got no answer asks again under the same key: what was done is not done twice, and the
-- answer is the same. The key belongs to whoever asked.

\ir prelude/central.sql
\ir prelude/people.sql

select test.hire('ana', 'cashier'), test.hire('eva', 'cashier') \g /dev/null
set session authorization tpv_gateway_user;

begin;
select test.enter('ana', 'cashier') \g /dev/null
select own.once('k1', sha256('a'), 'create_customer', '{"name": "Rosa"}') as first \gset
commit;
begin;
select test.enter('ana', 'cashier') \g /dev/null
select own.once('k1', sha256('a'), 'create_customer', '{"name": "Rosa"}') as again \gset
select test.equal(:'again'::jsonb, :'first'::jsonb || '{"replayed": true}', 'the same answer'),
    test.equal((:'first'::jsonb ->> 'replayed'), 'false', 'the first was none'),
    test.equal((select count(*) from own.customer), 1, 'it was done once') \g /dev/null
do $$
begin
    perform test.refused($q$select own.once('k1', sha256('b'), 'create_customer', '{"name": "Eva"}')$q$, 'TPIDK', what => 'another request');
    perform own.once(null, null, 'create_customer', '{"name": "Rosa"}'), own.once('k2', sha256('a'), 'create_customer', '{"name": "Rosa"}');
    perform test.equal((select count(*) from own.customer), 3, 'without a key, and under another one, it is another request');
    -- What was refused was not done, and can be asked again.
    perform test.refused($q$select own.once('k3', sha256('c'), 'create_customer', '{}')$q$, 'TP422');
    perform own.once('k3', sha256('d'), 'create_customer', '{"name": "Pia"}');
    perform test.refused($q$select own.once('k4', sha256('c'), 'once', '{}')$q$, 'TP404', what => 'no such function');
    perform test.refused($q$select own.once('k4', sha256('c'), 'me', '{}')$q$, 'TP404', what => 'a view is none');
    perform test.refused($q$select own.once('k4', sha256('c'), 'grant_role', '{}')$q$, 'TP403', what => 'not hers');
end
$$;
commit;
begin;
select test.enter('eva', 'cashier') \g /dev/null
select test.equal(own.once('k1', sha256('b'), 'create_customer', '{"name": "Eva"}') ->> 'replayed', 'false', 'another person''s key is another key') \g /dev/null
commit;
reset session authorization;

-- What an answer holds of a customer goes with the customer.
select party.erase((:'first'::jsonb -> 'answer' ->> 'customer_id')::uuid, 'request 1') \g /dev/null
do $$
begin
    perform test.equal((select answer from sec.idempotency where key = 'k1' and actor = 'employee:' || test.employee('ana')), '{}', 'erased');
    assert not exists (select from sec.idempotency where answer is null), 'every answer is kept';
    perform sec.prune();
    perform test.equal((select count(*) from sec.idempotency), 4, 'for a day');
    update sec.idempotency set made_at = now() - interval '25 hours';
    perform sec.prune();
    perform test.equal((select count(*) from sec.idempotency), 0, 'and no longer');
end
$$;
