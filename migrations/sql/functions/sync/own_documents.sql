create or replace function sync.link(document wire.doc) returns bytea
language sql stable set search_path = pg_catalog, pg_temp as $$
  select sync.link(document.node_id, document.chain, document.chain_seq, document.doc_id, document.kind, document.business_date,
                   document.prev_hash, document.content_hash)
$$;
comment on function sync.link(wire.doc) is 'The same of a row of wire.doc.';

create or replace function sync.this_life(chain text) returns text
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select split_part(chain, '~', 1) || coalesce((select '~' || max(r.life) from sync.restored r having max(r.life) > 1), '')
$$;
comment on function sync.this_life(text) is 'The hash chain in which one goes on now.';

create or replace function sync.move_to_this_life(chain text, from_seq bigint) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  here integer := org.this_node();
  target text := sync.this_life(chain);
  head sync.hash_chain;
  document wire.doc;
  place sync.second_place;
  before bytea;
  moved integer := 0;
begin
  insert into sync.hash_chain (node_id, chain) values (here, target) on conflict do nothing;
  perform from sync.hash_chain c where c.node_id = here and c.chain in (move_to_this_life.chain, target) order by c.chain for update;
  before := coalesce(case when from_seq > 1 then sync.link_of(chain, from_seq - 1) end, decode(repeat('00', 32), 'hex'));
  select * into head from sync.hash_chain c where c.node_id = here and c.chain = target;
  for document in
    select d.* from wire.doc d
     where d.node_id = here and d.chain = move_to_this_life.chain and d.chain_seq >= from_seq order by d.chain_seq
  loop
    update wire.doc d set chain = target, chain_seq = head.head_seq + 1, prev_hash = head.head_hash
     where d.node_id = here and d.doc_id = document.doc_id and d.business_date = document.business_date
    returning d.* into document;
    head.head_seq := document.chain_seq;
    head.head_hash := sync.link(document);
    head.head_hlc := greatest(head.head_hlc, document.hlc);
    moved := moved + 1;
  end loop;
  update sync.hash_chain c set head_seq = head.head_seq, head_hash = head.head_hash, head_hlc = head.head_hlc
   where c.node_id = here and c.chain = target;
  -- Places that only this life knew. Their documents have another.
  delete from sync.second_place s where s.node_id = here and s.chain = move_to_this_life.chain and s.chain_seq >= from_seq;
  update sync.hash_chain c
     set head_seq = from_seq - 1, head_hash = before,
         head_hlc = coalesce((select max(d.hlc) from wire.doc d
                               where d.node_id = here and d.chain = move_to_this_life.chain and d.chain_seq = from_seq - 1), 0)
   where c.node_id = here and c.chain = move_to_this_life.chain and c.head_seq >= from_seq;
  return moved;
end $$;
comment on function sync.move_to_this_life(text, bigint) is
  'Moves documents of a hash chain of this node to its chain of this life: they have places there that '
  'belong to others. What they say and when they were recorded stays. Callers use sync.receive_own_documents.';

create or replace function sync.take_own_document(came wire.doc, is_second boolean) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  before bytea;
  there wire.doc;
  stands wire.doc;
begin
  before := case when came.chain_seq = 1 then decode(repeat('00', 32), 'hex') else sync.link_of(came.chain, came.chain_seq - 1) end;
  if before is distinct from came.prev_hash then
    return 'deeper';
  end if;
  if sync.link_of(came.chain, came.chain_seq) = sync.link(came) then
    return 'known';
  end if;
  if exists (select from wire.doc d
              where d.node_id = came.node_id and d.chain = came.chain and d.chain_seq = came.chain_seq and d.doc_id <> came.doc_id) then
    perform sync.move_to_this_life(came.chain, came.chain_seq);
  end if;
  select * into stands from wire.doc d
   where d.node_id = came.node_id and d.doc_id = came.doc_id and d.business_date = came.business_date;
  if found and is_second then
    -- Another place of it at central too.
    insert into sync.second_place (node_id, chain, chain_seq, doc_id, business_date, kind, hlc, prev_hash, content_hash)
    values (came.node_id, came.chain, came.chain_seq, came.doc_id, came.business_date, came.kind, came.hlc, came.prev_hash,
            came.content_hash)
    on conflict do nothing;
  elsif found then
    -- Recorded again since. What came first stands.
    insert into sync.second_place (node_id, chain, chain_seq, doc_id, business_date, kind, hlc, prev_hash, content_hash)
    values (stands.node_id, stands.chain, stands.chain_seq, stands.doc_id, stands.business_date, stands.kind, stands.hlc,
            stands.prev_hash, stands.content_hash);
    if stands.content_hash <> came.content_hash then
      insert into sync.quarantine (node_id, kind, code, detail, refused)
      values (stands.node_id, stands.kind, 'NUMBER_REUSED',
              'the document was recorded before this server was restored, with another body, which stands',
              jsonb_build_object('doc_id', stands.doc_id, 'business_date', stands.business_date, 'chain', stands.chain, 'body', stands.body));
    end if;
    update wire.doc d
       set chain = came.chain, chain_seq = came.chain_seq, prev_hash = came.prev_hash, hlc = came.hlc,
           schema_version = came.schema_version, body = came.body, content_hash = came.content_hash
     where d.node_id = came.node_id and d.doc_id = came.doc_id and d.business_date = came.business_date;
  else
    insert into wire.doc (node_id, doc_id, business_date, kind, to_node, hlc, schema_version, chain, chain_seq, prev_hash, body,
                          content_hash)
    values (came.node_id, came.doc_id, came.business_date, came.kind, came.to_node, came.hlc, came.schema_version, came.chain,
            came.chain_seq, came.prev_hash, came.body, came.content_hash);
  end if;
  insert into sync.hash_chain as c (node_id, chain, head_seq, head_hash, head_hlc)
  values (came.node_id, came.chain, came.chain_seq, sync.link(came), came.hlc)
  on conflict (node_id, chain) do update
    set head_seq = excluded.head_seq, head_hash = excluded.head_hash, head_hlc = greatest(c.head_hlc, excluded.head_hlc)
    where c.head_seq < excluded.head_seq;
  return case when stands.node_id is null or is_second then 'taken' else 'replaced' end;
end $$;
comment on function sync.take_own_document(wire.doc, boolean) is
  'Takes back one document of this node, as an exact continuation of its hash chain here. Callers use '
  'sync.receive_own_documents.';

create or replace function sync.take_stamps(documents json) returns table (business_date date, taken bigint)
language sql security definer set search_path = pg_catalog, pg_temp as $$
  with taken as (
    update wire.doc d set hlc = c.hlc
      from json_to_recordset(documents) as c (
             node_id integer, doc_id uuid, business_date date, hlc bigint, chain text, chain_seq bigint, prev_hash bytea,
             content_hash bytea, second boolean)
     where c.node_id = org.this_node() and not coalesce(c.second, false)
       and (d.node_id, d.doc_id, d.business_date) = (c.node_id, c.doc_id, c.business_date)
       and (d.chain, d.chain_seq, d.prev_hash, d.content_hash) = (c.chain, c.chain_seq, c.prev_hash, c.content_hash)
       and d.hlc <> c.hlc
    returning d.business_date
  )
  select t.business_date, count(*) from taken t group by t.business_date
$$;
comment on function sync.take_stamps(json) is
  'Takes back when documents of this node were recorded: they were handed in again after it was restored, in '
  'the same order, and nothing but their stamps is another. Returns how many of which day. Callers use '
  'sync.receive_own_documents.';

create or replace function sync.receive_own_documents(documents json) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  is_open boolean := exists (select from sync.restored r where r.ended_at is null);
  one record;
  came wire.doc;
  outcome text;
  days date[];
  stamps bigint;
begin
  perform set_config('pg_tpv.maintenance', 'on', true);
  select array_agg(t.business_date), sum(t.taken) into days, stamps from sync.take_stamps(documents) t;
  if not is_open and stamps > 0 then
    insert into sec.audit (event, subject, detail)
    values ('STAMPS_TAKEN', format('node %s', org.this_node()),
            format('central had recorded %s documents of this node before they were handed in here again', stamps));
  end if;
  for one in
    select row(d.node_id, d.doc_id, d.business_date, d.kind, d.to_node, d.hlc, d.schema_version, d.chain, d.chain_seq, d.prev_hash,
               d.body, d.content_hash)::wire.doc as document, coalesce(d.second, false) as is_second
      from json_to_recordset(documents) as d (
             node_id integer, doc_id uuid, business_date date, kind text, to_node integer, hlc bigint, schema_version integer,
             chain text, chain_seq bigint, prev_hash bytea, body text, content_hash bytea, second boolean)
     where is_open and d.node_id = org.this_node() and exists (select from sync.own_chain c where c.chain = d.chain)
     order by d.chain, d.chain_seq
  loop
    came := one.document;
    outcome := sync.take_own_document(came, one.is_second);
    if outcome = 'deeper' then
      update sync.own_chain c set is_deeper = true where c.chain = came.chain;
      exit;
    elsif outcome <> 'known' then
      days := days || came.business_date;
    end if;
  end loop;
  perform set_config('pg_tpv.maintenance', 'off', true);
  perform sales.rebuild_projections(org.this_node(), d.day, d.day) from (select distinct unnest(days) as day) d;
end $$;
comment on function sync.receive_own_documents(json) is
  'Takes back documents of this node that central has and this server has forgotten. What it has recorded '
  'since under the same numbers moves to the hash chain of this life. When nothing is missing it takes back '
  'only when they were recorded.';
grant execute on function sync.receive_own_documents(json) to tpv_apply;

create or replace function sync.note_place(node_id integer, doc_id uuid, business_date date, kind text, hlc bigint, chain text,
    chain_seq bigint, prev_hash bytea, content_hash bytea) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  came sync.second_place := row(note_place.node_id, note_place.chain, note_place.chain_seq, note_place.doc_id, note_place.business_date,
                                note_place.kind, note_place.hlc, note_place.prev_hash, note_place.content_hash);
  stands wire.doc;
begin
  select * into stands from wire.doc d
   where d.node_id = came.node_id and d.doc_id = came.doc_id and d.business_date = came.business_date;
  if not found or (stands.chain, stands.chain_seq) = (came.chain, came.chain_seq) then
    return;
  end if;
  if stands.hlc = came.hlc and stands.content_hash = came.content_hash
     and split_part(stands.chain, '~', 1) = split_part(came.chain, '~', 1)
     and coalesce(nullif(split_part(came.chain, '~', 2), ''), '1')::integer
         > coalesce(nullif(split_part(stands.chain, '~', 2), ''), '1')::integer then
    -- Recorded once. Its writer was restored, and found that the place belongs to another.
    perform set_config('pg_tpv.maintenance', 'on', true);
    update wire.doc d set chain = came.chain, chain_seq = came.chain_seq, prev_hash = came.prev_hash
     where d.node_id = came.node_id and d.doc_id = came.doc_id and d.business_date = came.business_date;
    perform set_config('pg_tpv.maintenance', 'off', true);
    return;
  end if;
  -- Not in a place that is another document's.
  insert into sync.second_place
  select came.* where not exists (
    select from wire.doc d where d.node_id = came.node_id and d.chain = came.chain and d.chain_seq = came.chain_seq)
  on conflict do nothing;
end $$;
comment on function sync.note_place(integer, uuid, date, text, bigint, text, bigint, bytea, bytea) is
  'Notes that a document that is here came again in another place of a hash chain: its writer was '
  'restored, and recorded it again.';
grant execute on function sync.note_place(integer, uuid, date, text, bigint, text, bigint, bytea, bytea) to tpv_apply;

create or replace function sync.note_recorded_before(node_id integer, chain text, seq bigint) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  -- They are gathered for a moment, and sent together.
  insert into sync.request as r (node_id, what, subject, from_seq, to_seq, requested_at)
  select note_recorded_before.node_id, 'own_documents', note_recorded_before.chain, note_recorded_before.seq,
         note_recorded_before.seq, clock_timestamp() + interval '1 second'
    from org.node n where n.node_id = org.this_node() and n.kind = 'central'
  on conflict (node_id, what, subject) do update
    set from_seq = least(r.from_seq, excluded.from_seq), to_seq = case when r.to_seq is not null then greatest(r.to_seq, excluded.to_seq) end;
end;
comment on function sync.note_recorded_before(integer, text, bigint) is
  'At central: a store has sent a document with another stamp than the one that is here. It was restored, and '
  'the document was handed in again. The store is told when it was recorded first.';
grant execute on function sync.note_recorded_before(integer, text, bigint) to tpv_apply;
