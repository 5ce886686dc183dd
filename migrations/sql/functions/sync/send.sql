create or replace function sync.send(to_node integer, kind text, body text) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  insert into wire.resend (node_id, to_node, hlc, kind, body)
  values (org.this_node(), send.to_node, tpv.hlc_now(), send.kind, send.body);
end;
comment on function sync.send(integer, text, text) is 'Sends one row of wire.resend to one peer.';
