-- Central, number 100.
\ir test.sql

set client_min_messages = error;
set role tpv_owner;
select org.register_central(100, 'CENTRAL') \g /dev/null
reset role;
reset client_min_messages;
