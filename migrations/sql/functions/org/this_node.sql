create or replace function org.this_node() returns integer
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  return (select node_id from sync.this_node);
end $$;
comment on function org.this_node() is
  'Number of the node that this database is; null before a store is registered.';
