create or replace function wire.verify_chains()
returns table (node_id integer, chain text, documents bigint, head_seq bigint, intact boolean, broken_seq bigint,
               broken_doc uuid, reason text)
language sql security definer set search_path = pg_catalog, pg_temp as
$$ select * from tpv.verify_chains() $$;
comment on function wire.verify_chains() is
  'Checks every document and every hash chain: one row for each chain, with the first broken link '
  'and why, if there is one.';
grant execute on function wire.verify_chains() to tpv_operator, tpv_analyst;
