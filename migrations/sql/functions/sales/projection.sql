create or replace function sales.rebuild_projections()
returns table (kind text, documents bigint, projected bigint, quarantined bigint)
language sql security definer set search_path = pg_catalog, pg_temp as
$$ select * from tpv.rebuild_projections() $$;
comment on function sales.rebuild_projections() is
  'Empties every projection and fills it again from the documents, in one transaction. Readers '
  'wait meanwhile.';
