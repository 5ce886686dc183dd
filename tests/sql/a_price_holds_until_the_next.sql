-- A price holds until the next valid_from of the same product and store. A store's own goes before the
-- chain's, and whatever order the rows come in, the answer is the same.

\ir prelude/store.sql

create function test.pan() returns uuid language sql immutable as $$ select '00000000-0000-7000-8000-0000000000aa'::uuid $$;
insert into catalog.product (product_id, sku, description) values (test.pan(), '1', 'Pan');

create function test.price(key text, price numeric, valid_from timestamptz, node_id integer default null) returns void
language sql as $$
    insert into catalog.price (price_id, product_id, node_id, price, valid_from)
    values (('00000000-0000-7000-8000-0000000000' || key)::uuid, test.pan(), node_id, price, valid_from)
$$;
-- Store 1 and store 2, at that moment.
create function test.at(at timestamptz) returns text language sql as $$
    select concat_ws(' ', coalesce(catalog.price_at(test.pan(), 1, at), -1), coalesce(catalog.price_at(test.pan(), 2, at), -1))
$$;

do $$
begin
    -- Not in order.
    perform test.price('03', 3, '2026-03-01'), test.price('01', 1, '2026-01-01'), test.price('02', 2, '2026-02-01');
    perform test.equal(test.at('2025-12-31 23:59Z'), '-1 -1', 'before the first there is none');
    perform test.equal(test.at('2026-01-01'), '1.0000 1.0000', 'from its first moment');
    perform test.equal(test.at('2026-02-01'::timestamptz - interval '1 microsecond'), '1.0000 1.0000', 'until the next');
    perform test.equal(test.at('2026-02-01'), '2.0000 2.0000', 'which begins');
    perform test.equal(test.at('2099-01-01'), '3.0000 3.0000', 'the last holds on');

    perform test.price('11', 0.90, '2026-02-10', 1);
    perform test.equal(test.at('2026-02-09'), '2.0000 2.0000', 'a store''s own has not begun');
    perform test.equal(test.at('2026-03-02'), '0.9000 3.0000', 'it goes before the chain''s, also before a later one');
    perform test.price('12', null, '2026-03-10', 1);
    perform test.equal(test.at('2026-03-11'), '3.0000 3.0000', 'a null ends it');
    perform test.equal(test.at('2026-03-09'), '0.9000 3.0000', 'and what was stays known');

    -- Two of one moment, whichever was written first.
    perform test.price('22', 5, '2026-05-01'), test.price('21', 4, '2026-05-01');
    perform test.equal(test.at('2026-05-01'), '5.0000 5.0000', 'the greater key');
    update catalog.price set deleted = true where price = 5;
    perform test.equal(test.at('2026-05-01'), '4.0000 4.0000', 'a deleted one does not count');
    update catalog.price set deleted = true where price = 4;
    perform test.equal(test.at('2026-05-01'), '3.0000 3.0000', 'the one before holds on');
    update catalog.product set deleted = true;
    perform test.equal(test.at('2026-05-01'), '-1 -1', 'a deleted product has no price');
end
$$;
