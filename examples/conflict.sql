-- Two stores change the telephone number of one customer, neither knowing of the other. Every node
-- shows the same number, both are on record, and a person at central says which one is right.
--
-- After ./tpv up:
--     ./tpv psql S01 -q -f examples/conflict.sql
-- A line that begins with \connect says which node runs what follows it.

\set ON_ERROR_STOP on
\getenv central CENTRAL_URL
\getenv s01 S01_URL
\getenv s02 S02_URL

\echo
\echo '-- S01 knows a customer, and so does everybody'
\connect :s01
insert into party.customer (customer_id, name, phone) values ('00000000-0000-7000-8000-0000000000a1', 'Ana Ruiz', '600 000 000')
on conflict (customer_id) do update set phone = excluded.phone;
\connect :s02
\set until 'phone = ''600 000 000'''
\ir wait.sql

\echo
\echo '-- S02 is cut off from what others decide. Both stores write another number'
alter subscription tpv_from_central disable;
\connect :s01
update party.customer set phone = '600 111 111' where customer_id = '00000000-0000-7000-8000-0000000000a1';
\connect :s02
update party.customer set phone = '600 222 222' where customer_id = '00000000-0000-7000-8000-0000000000a1';
alter subscription tpv_from_central enable;

\echo
\echo '-- Central has both. The table shows one, and no node has lost the other'
\connect :central
\set until 'exists (select from sync.sibling s where s.key = customer_id::text and s.column_name = ''phone'')'
\ir wait.sql
select column_name, node_id, seq, value, chosen from sync.sibling
 where table_name = 'party.customer' and key = '00000000-0000-7000-8000-0000000000a1' order by node_id;
select phone from party.customer where customer_id = '00000000-0000-7000-8000-0000000000a1';

\echo
\echo '-- A person has asked Ana: the number that lost is right'
select value #>> '{}' as right_phone from sync.sibling
 where table_name = 'party.customer' and key = '00000000-0000-7000-8000-0000000000a1' and not chosen \gset
select sync.resolve_conflict(table_name, key, column_name, node_id, seq) from sync.sibling
 where table_name = 'party.customer' and key = '00000000-0000-7000-8000-0000000000a1' and not chosen \g /dev/null

\echo
\echo '-- It is right everywhere, and nobody has a conflict any more'
select format('phone = %L and not exists (select from sync.sibling s where s.key = customer_id::text)', :'right_phone') as until \gset
\ir wait.sql
select phone from party.customer where customer_id = '00000000-0000-7000-8000-0000000000a1';
\connect :s01
\ir wait.sql
\connect :s02
\ir wait.sql
select phone from party.customer where customer_id = '00000000-0000-7000-8000-0000000000a1';
