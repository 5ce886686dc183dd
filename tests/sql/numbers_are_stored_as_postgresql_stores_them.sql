-- Numbers of receipts are put together in the bytes of a numeric without PostgreSQL's arithmetic. They
-- are the bytes that PostgreSQL would write.

\ir prelude/store.sql

create temp table number as
    select row_number() over () as n, (sign * digits * 10::numeric ^ shift)::numeric(14, 4) as price, quantity
    from unnest(array[1, -1]) as sign,
        unnest(array[0, 1, 9, 10, 12, 99, 100, 123, 9999, 10000, 10001, 99999999, 100000000, 123456789]) as digits,
        unnest(array[-4, -3, -2, -1, 0, 1]) as shift,
        unnest(array[1, 0.5, 0.333, 1000]) as quantity
    where digits * 10::numeric ^ shift < 1000000000
    order by 2, 3;

do $$
declare
    files bytea[];
begin
    for files in select array_agg(test.receipt(n::text, jsonb_build_array(test.item(price, quantity))) order by n)
        from number group by n / 50 loop
        perform sales.ingest_files('T01', files, null);
    end loop;
end
$$;

create temp table again as
    select l.receipt_id, l.price::text::numeric(14, 4) as price, l.quantity::text::numeric(14, 3) as quantity,
        l.total::text::numeric(14, 2) as total
    from sales.receipt_line l;

do $$
declare
    compared integer;
    different text;
begin
    select count(*) filter (where l.price <> 0),
        string_agg(l::text, '; ') filter (where
            (numeric_send(l.price), numeric_send(l.quantity), numeric_send(l.total))
            is distinct from (numeric_send(a.price), numeric_send(a.quantity), numeric_send(a.total))
            or (hash_numeric(l.price), hash_numeric(l.quantity), hash_numeric(l.total))
            is distinct from (hash_numeric(a.price), hash_numeric(a.quantity), hash_numeric(a.total))
            or (pg_column_size(l.price), pg_column_size(l.quantity), pg_column_size(l.total))
            is distinct from (pg_column_size(a.price), pg_column_size(a.quantity), pg_column_size(a.total)))
        into compared, different
    from sales.receipt_line l join again a using (receipt_id);
    assert different is null, concat_ws(' ', 'not the same bytes:', different);
    assert compared > 300, format('many are compared: %s', compared);
    perform test.equal((select count(*) from sales.receipt_line l join sales.receipt r using (node_id, receipt_id)
        join number s on s.n::text = r.receipt_number
        where (l.price, l.quantity) is distinct from (s.price, s.quantity::numeric(14, 3))), 0, 'and are the numbers');
end
$$;
