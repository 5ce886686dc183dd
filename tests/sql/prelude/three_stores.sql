-- Three weeks of three stores, as central has them: the known data of docs/analyst.md. Nothing in it is random, and nothing
-- depends on today. Receipts and lines are written as projecting documents would leave them.
\ir central.sql
\ir rollups.sql

set client_min_messages = error;
grant create on schema test to tpv_owner;
set role tpv_owner;

insert into org.node (node_id, node_code, kind) values (1, 'S01', 'store'), (2, 'S02', 'store'), (3, 'S03', 'store');
insert into org.store (node_id, code, name, timezone, cutoff_hour, currency)
values (1, 'S01', 'Madrid Centro', 'Europe/Madrid', 4, 'EUR'), (2, 'S02', 'Barcelona Sants', 'Europe/Madrid', 4, 'EUR'),
    (3, 'S03', 'Las Palmas Puerto', 'Atlantic/Canary', 4, 'EUR');
insert into catalog.tax (tax_id, code, name) values ('00000000-0000-7000-8000-00000000a004', 'IVA4', 'IVA superreducido'),
    ('00000000-0000-7000-8000-00000000a010', 'IVA10', 'IVA reducido');
insert into catalog.tax_rate (tax_id, rate, valid_from) values ('00000000-0000-7000-8000-00000000a004', 4, '2020-01-01'),
    ('00000000-0000-7000-8000-00000000a010', 10, '2020-01-01');
insert into org.legal_entity (legal_entity_id, name, tax_id)
values ('00000000-0000-7000-8000-00000000e001', 'Pescados del Sur S.L.', 'B11111111'),
    ('00000000-0000-7000-8000-00000000e002', 'Horno Castilla S.L.', 'B22222222');
-- Department 03 of Las Palmas has neither a lessee nor a tax of its own.
insert into org.department (node_id, code, name, legal_entity_id, tax_id)
select s, d.code, d.name, case when s < 3 or d.code = '02' then d.lessee::uuid end,
    case when s < 3 or d.code <> '03' then d.tax_id::uuid end
from generate_series(1, 3) s
cross join (values ('01', 'Frutería', null, '00000000-0000-7000-8000-00000000a004'),
    ('02', 'Pescadería', '00000000-0000-7000-8000-00000000e001', '00000000-0000-7000-8000-00000000a010'),
    ('03', 'Panadería', '00000000-0000-7000-8000-00000000e002', '00000000-0000-7000-8000-00000000a004')) d (code, name, lessee, tax_id);
insert into org.terminal (node_id, code, kind, department_code)
select s, 'T' || d, 'department', d from generate_series(1, 3) s cross join (values ('01'), ('02'), ('03')) d (d)
union all select s, 'K01', 'till', null from generate_series(1, 3) s;
insert into party.employee (employee_id, code, name) values ('00000000-0000-7000-8000-00000000f001', 'sur', 'Marina Ruiz');
insert into sec.role_grant (employee_id, role, node_id, department_code, valid_from, valid_to)
values ('00000000-0000-7000-8000-00000000f001', 'concessionaire', 1, '02', '2026-01-01', '2030-12-31');

-- Labels of the scales: 21, five digits of the item, five of the price.
insert into catalog.barcode_rule (name, prefix, length, kind, item_start, item_length, value_start, value_length, decimals)
values ('price', '21', 13, 'price', 3, 5, 8, 5, 2);
insert into catalog.product (product_id, sku, description, tax_id, unit)
values ('00000000-0000-7000-8000-00000000b001', '1001', 'Pan de pueblo', '00000000-0000-7000-8000-00000000a004', 'piece'),
    ('00000000-0000-7000-8000-00000000b002', '1002', 'Piña en su jugo', '00000000-0000-7000-8000-00000000a010', 'piece'),
    ('00000000-0000-7000-8000-00000000b003', '1003', 'Salmón ahumado', '00000000-0000-7000-8000-00000000a010', 'piece'),
    ('00000000-0000-7000-8000-00000000b042', '2042', 'Naranja de mesa', '00000000-0000-7000-8000-00000000a004', 'kg'),
    ('00000000-0000-7000-8000-00000000b123', '2123', 'Merluza de pincho', '00000000-0000-7000-8000-00000000a010', 'kg'),
    ('00000000-0000-7000-8000-00000000b007', '3007', 'Ensaimada', null, 'piece');
insert into catalog.barcode (gtin14, product_id)
values ('08436006836053', '00000000-0000-7000-8000-00000000b001'), ('08410000000016', '00000000-0000-7000-8000-00000000b002'),
    ('08410000000023', '00000000-0000-7000-8000-00000000b003');
insert into catalog.local_code (node_id, department_code, code, product_id)
values (null, null, '42', '00000000-0000-7000-8000-00000000b042'), (null, null, '123', '00000000-0000-7000-8000-00000000b123'),
    (1, '03', '7', '00000000-0000-7000-8000-00000000b007'), (2, null, '7', '00000000-0000-7000-8000-00000000b007');
insert into catalog.price (product_id, node_id, price, valid_from)
values ('00000000-0000-7000-8000-00000000b001', null, 1.20, '2026-01-01'), ('00000000-0000-7000-8000-00000000b001', null, 1.30, '2026-06-22 04:00+02'),
    ('00000000-0000-7000-8000-00000000b002', null, 2.15, '2026-01-01'), ('00000000-0000-7000-8000-00000000b002', 3, 2.35, '2026-01-01'),
    ('00000000-0000-7000-8000-00000000b003', null, 6.95, '2026-01-01'), ('00000000-0000-7000-8000-00000000b042', null, 1.89, '2026-01-01'),
    ('00000000-0000-7000-8000-00000000b123', null, 12.90, '2026-01-01'), ('00000000-0000-7000-8000-00000000b007', null, 1.75, '2026-01-01');

-- What is sold: place in its department, code, name, price, whether it is weighed.
create table test.article (department text, place integer, code text, description text, price numeric, weighed boolean, rate numeric);
insert into test.article values
    ('01', 0, '2100042001892', 'NARANJA DE MESA', 1.89, true, 4), ('01', 1, '8410000000016', 'PIÑA EN SU JUGO', 2.15, false, 10),
    ('01', 2, '128', 'ACELGA MANOJO', 1.45, false, 4),
    ('02', 0, '2100123012904', 'MERLUZA DE PINCHO', 12.90, true, 10), ('02', 1, '8410000000023', 'SALMÓN AHUMADO', 6.95, false, 10),
    ('03', 0, '8436006836053', 'PAN DE PUEBLO', 1.20, false, 4), ('03', 1, '7', 'ENSAIMADA', 1.75, false, null),
    ('03', 2, '31', 'ROSCÓN', 9.50, false, null);

-- Each department sells two to four tickets a day. Las Palmas was last heard on the 26th. The terminals of S01 print tax rates.
create table test.ticket as
select row_number() over (order by s.node, d.d, k.day, n.n)::integer as id, s.node, to_char(d.d, 'FM00') as department, k.k, k.day, n.n, d.d,
    (k.day + make_interval(hours => 9 + (n.n * 3 + d.d + k.k) % 12, mins => (n.n * 17 + s.node * 5) % 60))::timestamp as printed_local
from generate_series(1, 3) s (node) cross join generate_series(1, 3) d (d)
cross join lateral (select k, date '2026-06-08' + k as day from generate_series(0, 20) k) k
cross join lateral generate_series(1, 2 + (s.node + k.k + d.d) % 3) n (n)
where s.node < 3 or k.k <= 18;

create table test.ticket_line as
select t.id, t.node, t.department, t.day, i.line, a.code, a.description, a.rate, a.weighed,
    -- Las Palmas sells the pineapple at its own price; the bakery knew the new price of bread in S01 only.
    case when a.code = '8410000000016' and t.node = 3 then 2.35
        when a.code = '8436006836053' and t.day >= '2026-06-22' and t.node = 1 then 1.30 else a.price end as price,
    case when a.weighed then 0.250 + ((t.n * 7 + i.line * 3 + t.k) % 20) * 0.035 else 1 + (t.k + i.line) % 3 end as quantity
from test.ticket t
cross join lateral generate_series(1, 1 + (t.n + t.k) % 3) i (line)
join test.article a on a.department = t.department
    and a.place = (t.n + i.line + t.k + t.node) % (select count(*) from test.article c where c.department = t.department)
-- Nobody baked a roscón after the 18th.
where not (a.code = '31' and t.day > '2026-06-18');
delete from test.ticket t where not exists (select from test.ticket_line l where l.id = t.id);

create function test.id(n integer) returns uuid language sql immutable as
$$ select ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid $$;

insert into sales.receipt_line (node_id, receipt_id, line_number, business_date, barcode, gtin14, description, price, quantity, tax_rate, total)
select l.node, test.id(l.id), row_number() over (partition by l.id order by l.line), l.day, l.code,
    case when l.code ~ '^84' then '0' || l.code end, l.description, l.price, l.quantity, case when l.node = 1 then l.rate end, round(l.price * l.quantity, 2)
from test.ticket_line l;
insert into sales.receipt (node_id, receipt_id, business_date, terminal, department, series, receipt_number, printed_text, printed_local, printed_at,
    recorded_at, line_count, total, lines_total, total_difference, state, first_outcome, flags)
select t.node, test.id(t.id), t.day, 'T' || t.department, t.department, '',
    (1000 + row_number() over (partition by t.node, t.department order by t.printed_local, t.id))::text, '', t.printed_local,
    t.printed_local at time zone s.timezone, (t.printed_local at time zone s.timezone) + make_interval(secs => t.n * 2 + t.d), l.lines, l.total,
    l.total, 0, 'accepted', 'accepted', '{}'
from test.ticket t join org.store s on s.node_id = t.node
cross join lateral (select count(*) as lines, sum(r.total) as total from sales.receipt_line r where r.node_id = t.node and r.receipt_id = test.id(t.id)) l;

-- What happens in a shop. Of each case the receipts are named by store, terminal and number.
create function test.of(node integer, terminal text, number integer) returns uuid language sql stable as
$$ select r.receipt_id from sales.receipt r where r.node_id = node and r.terminal = of.terminal and r.receipt_number = number::text $$;
-- A ticket and the one that undid it.
update sales.receipt set state = 'voided' where receipt_id in (test.of(1, 'T01', 1010), test.of(1, 'T01', 1011));
update sales.receipt set state = 'voided' where receipt_id = test.of(2, 'T03', 1020);
-- The total does not fit: one waits, one was released, two differ by a cent of rounding.
update sales.receipt set state = 'held', first_outcome = 'held', hold_code = 'TOTAL_MISMATCH', total = total + 5, total_difference = 5
where receipt_id in (test.of(1, 'T02', 1030), test.of(2, 'T02', 1055));
update sales.receipt set state = 'released', first_outcome = 'held', hold_code = 'TOTAL_MISMATCH', total = total - 0.50, total_difference = -0.50
where receipt_id = test.of(2, 'T02', 1040);
update sales.receipt set flags = '{ROUNDING}', total = total + 0.01, total_difference = 0.01
where receipt_id in (test.of(1, 'T02', 1012), test.of(3, 'T01', 1021));
-- Days are closed in the night. One receipt came two days later.
insert into sales.day_close (node_id, business_date, closed_at)
select s.node_id, d::date, ((d::date + 1) + time '02:00') at time zone s.timezone
from org.store s cross join generate_series(timestamp '2026-06-08', timestamp '2026-06-27', interval '1 day') d
where s.node_id < 3 or d < '2026-06-26';
update sales.receipt set flags = '{LATE}', recorded_at = printed_at + interval '2 days' where receipt_id = test.of(2, 'T01', 1025);
-- Numbers that are missing: no file of them has come.
delete from sales.receipt_line where receipt_id in (test.of(3, 'T03', 1007), test.of(3, 'T03', 1008), test.of(1, 'T03', 1033));
delete from sales.receipt r where not exists (select from sales.receipt_line l where l.node_id = r.node_id and l.receipt_id = r.receipt_id);
-- A customer brings a tin of pineapple back.
update sales.receipt_line l set quantity = -1, total = -l.price
where l.receipt_id = test.of(1, 'T01', 1018) and l.barcode = '8410000000016';
-- Bread at midnight, of the day before.
update sales.receipt r set printed_local = r.business_date + interval '1 day 30 minutes', printed_at = (r.business_date + interval '1 day 30 minutes') at time zone 'Europe/Madrid',
    recorded_at = (r.business_date + interval '1 day 30 minutes 4 seconds') at time zone 'Europe/Madrid'
where r.receipt_id = (select c.receipt_id from sales.receipt c where c.node_id = 2 and c.terminal = 'T03' and c.business_date = '2026-06-14' order by c.printed_at desc limit 1);
update sales.receipt r set lines_total = l.total, total = l.total + r.total_difference
from (select node_id, receipt_id, sum(total) as total from sales.receipt_line group by 1, 2) l
where l.node_id = r.node_id and l.receipt_id = r.receipt_id;

reset role;
select test.fill_rollups() \g /dev/null
insert into rollup.restated (at, node_id, business_date, department, tickets_before, tickets_after, gross_before, gross_after, why)
select r.recorded_at + interval '3 seconds', r.node_id, r.business_date, r.department, s.tickets - 1, s.tickets, s.gross - r.lines_total, s.gross, '1 receipt came'
from sales.receipt r
join (select node_id, business_date, department, sum(tickets) as tickets, sum(gross) as gross from rollup.sales_hour group by 1, 2, 3) s
    using (node_id, business_date, department)
where 'LATE' = any (r.flags);

-- How much of each store is here.
insert into sync.peer (node_id, subscription_name, beat, beat_at, low_water, received_until, verified_until)
values (1, 'tpv_from_s01', 9, '2026-06-29 08:00:05+00', '2026-06-29 08:00:04+00', '2026-06-29 08:00:04+00', '2026-06-29 07:59:30+00'),
    (2, 'tpv_from_s02', 9, '2026-06-29 08:00:06+00', '2026-06-29 08:00:05+00', '2026-06-29 08:00:05+00', '2026-06-29 07:59:31+00'),
    (3, 'tpv_from_s03', 9, '2026-06-26 21:10:00+00', '2026-06-26 21:09:59+00', '2026-06-26 21:09:59+00', '2026-06-26 21:09:20+00');
insert into rollup.until (node_id, complete_until) values (1, '2026-06-29 08:00:04+00'), (2, '2026-06-29 08:00:05+00'), (3, '2026-06-26 21:09:59+00');
insert into sync.peer_chain (node_id, name, writer_id, chain, chain_seq, hash, hlc)
select r.node_id, r.terminal, r.node_id, r.terminal, count(*), '\x00', (extract(epoch from max(r.recorded_at)) * 1000)::bigint << 16
from sales.receipt r group by r.node_id, r.terminal;

-- Two people named a product at the same time, and two wrote the phone of a customer.
insert into sync.sibling (table_name, key, column_name, node_id, seq, hlc, value, chosen, review, found_at)
values ('catalog.product', '00000000-0000-7000-8000-00000000b007', 'description', 1, 40, (extract(epoch from timestamptz '2026-06-24 10:00:00+00') * 1000)::bigint << 16,
        '"Ensaimada rellena"', false, true, '2026-06-24 10:00:09+00'),
    ('catalog.product', '00000000-0000-7000-8000-00000000b007', 'description', 100, 77, (extract(epoch from timestamptz '2026-06-24 10:00:02+00') * 1000)::bigint << 16,
        '"Ensaimada"', true, true, '2026-06-24 10:00:09+00'),
    ('party.customer', '00000000-0000-7000-8000-00000000cc01', 'phone', 2, 12, (extract(epoch from timestamptz '2026-06-25 10:00:00+00') * 1000)::bigint << 16,
        '"600000000"', true, false, '2026-06-25 10:00:09+00'),
    ('party.customer', '00000000-0000-7000-8000-00000000cc01', 'phone', 3, 9, (extract(epoch from timestamptz '2026-06-25 09:59:00+00') * 1000)::bigint << 16,
        '"700000000"', false, false, '2026-06-25 10:00:09+00'),
    ('sec.role_grant', '00000000-0000-7000-8000-00000000dd01', 'role', 1, 41, (extract(epoch from timestamptz '2026-06-25 10:00:00+00') * 1000)::bigint << 16,
        '"manager"', true, true, '2026-06-25 10:00:09+00');
reset client_min_messages;
