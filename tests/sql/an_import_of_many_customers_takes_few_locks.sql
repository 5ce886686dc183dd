-- What happened: each e-mail took a lock of its own, so that 20,000 customers in one transaction
-- were "out of shared memory".
\ir prelude/central.sql

set role tpv_operator;
begin;
insert into party.customer (name, email) select 'c' || n, 'c' || n || '@example.org' from generate_series(1, 20000) n;
select test.equal((select count(*) < 100 from pg_locks where pid = pg_backend_pid()), true, 'it holds few locks')
 \g /dev/null
select test.refused($q$insert into party.customer (name, email) values ('again', 'C7@example.org')$q$, '23505',
    what => 'and duplicates are refused') \g /dev/null
commit;
reset role;
select test.equal((select count(*) from sync.claim), 0, 'nothing stays of the claims') \g /dev/null
