create or replace function sync.accept_snapshot(peer integer, why text, up_to bigint default null, alone boolean default false)
returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  asked uuid := tpv.uuid7();
  after_seq bigint;
  told bigint;
  reused bigint[];
begin
  if not exists (select from sync.peer p join org.node n on n.node_id = p.node_id
                  where p.node_id = accept_snapshot.peer and n.kind = 'store') then
    raise exception 'node % is no store that is a peer of this node', accept_snapshot.peer using errcode = '22023',
      hint = 'Central asks a store. A store gets its snapshots from central by itself.';
  end if;
  if coalesce(why, '') = '' then
    raise exception 'a reason is required' using errcode = '22023', hint = 'It stays on record, and names no person.';
  end if;
  -- No two at the same time.
  lock table tpv_lock.snapshot in exclusive mode;
  perform sync.end_overdue_snapshots();
  if exists (select from sync.accepted_snapshot a where a.node_id = accept_snapshot.peer and a.ended_at is null) then
    raise exception 'a snapshot of node % was asked for already', accept_snapshot.peer using errcode = '55000',
      hint = 'It is in sync.accepted_snapshot. sync.end_snapshot ends it.';
  end if;
  -- What was written here since under numbers of which stores have others is set aside. One that says
  -- so alone could have this node set aside what it likes.
  select array_agg(n.seq) into reused
    from sync.own_said s cross join lateral unnest(s.reused) as n (seq)
   where s.node_id = accept_snapshot.peer
     and (accept_snapshot.alone or (select count(*) from sync.peer) = 1
          or exists (select from sync.own_said o where o.node_id <> s.node_id and n.seq = any (o.reused)));
  if reused is not null then
    perform sync.set_aside_reused(reused, peer);
  end if;
  after_seq := coalesce((select k.seq from sync.contiguous() k where k.node_id = org.this_node()), 0);
  told := coalesce((select v.seq from sync.peer_vector v
                     where v.node_id = accept_snapshot.peer and v.writer_id = org.this_node()), 0);
  up_to := greatest(coalesce(up_to, told), after_seq);
  if up_to > after_seq + 10000000 then
    raise exception 'this node would have forgotten % operations', up_to - after_seq using errcode = '22023',
      detail = format('The store says that it has those of this node up to %s; here they are up to %s.', told, after_seq),
      hint = 'No server forgets so many. If the store is believed all the same, give up_to, and ask for less at a time.';
  end if;
  insert into sync.accepted_snapshot (snapshot_id, node_id, after_seq, up_to_seq, why, ends_at)
  values (asked, accept_snapshot.peer, after_seq, up_to, accept_snapshot.why, clock_timestamp() + interval '1 hour');
  insert into sec.audit (event, subject, detail)
  values ('SNAPSHOT_ACCEPTED', format('node %s', accept_snapshot.peer), accept_snapshot.why);
  perform sync.request(accept_snapshot.peer, json_build_array(json_build_object('what', 'snapshot', 'subject', asked)));
  return format('asked node %s for what it decided, and for this node''s operations %s to %s; within an hour',
                accept_snapshot.peer, after_seq + 1, up_to);
end $$;
comment on function sync.accept_snapshot(integer, text, bigint, boolean) is
  'At central that was restored: asks a store for a snapshot, and takes it, once and within an hour. Of it '
  'are taken what the store decided, and what this node decided and has forgotten, up to up_to; if that is '
  'not given, up to where the store says. What this node has decided since under numbers of which two '
  'stores have others is set aside (sync.own_said); with alone, what this store says is enough.';

create or replace function sync.end_snapshot(snapshot_id uuid, why text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  of_node integer;
begin
  if coalesce(why, '') = '' then
    raise exception 'a reason is required' using errcode = '22023', hint = 'It stays on record, and names no person.';
  end if;
  select l.node_id into of_node from sync.snapshot l
   where l.snapshot_id = end_snapshot.snapshot_id and l.completed_at is null and l.ended_at is null;
  of_node := coalesce(of_node, (select a.node_id from sync.accepted_snapshot a
                                 where a.snapshot_id = end_snapshot.snapshot_id and a.ended_at is null));
  if of_node is null then
    raise exception 'no snapshot of that name is on its way' using errcode = 'P0002',
      hint = 'They are in sync.snapshot, where completed_at is null, and in sync.accepted_snapshot.';
  end if;
  perform sync.note_end(end_snapshot.snapshot_id, of_node, end_snapshot.why);
  insert into sec.audit (event, subject, detail) values ('SNAPSHOT_ENDED', format('node %s', of_node), end_snapshot.why);
end $$;
comment on function sync.end_snapshot(uuid, text) is
  'Ends a snapshot that is on its way and hangs: no more of it is taken. What it has brought stays. A store '
  'asks central for another with sync.request.';
grant execute on function sync.end_snapshot(uuid, text) to tpv_operator;

create or replace function sync.note_end(snapshot_id uuid, of_node integer, why text) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  -- One that has not begun is noted too, so that its first part is not taken.
  insert into sync.snapshot as l (snapshot_id, node_id, ended_at) values (note_end.snapshot_id, note_end.of_node, clock_timestamp())
  on conflict on constraint snapshot_pkey do update set ended_at = excluded.ended_at where l.completed_at is null;
  delete from sync.snapshot_row r where r.snapshot_id = note_end.snapshot_id;
  update sync.accepted_snapshot a set ended_at = clock_timestamp(), ended_why = note_end.why
   where a.snapshot_id = note_end.snapshot_id and a.ended_at is null;
end;
comment on function sync.note_end(uuid, integer, text) is
  'Notes that no more of a snapshot is taken. Callers use sync.end_snapshot.';

create or replace function sync.end_overdue_snapshots() returns integer
language sql security definer set search_path = pg_catalog, pg_temp as $$
  with overdue as (
    select a.snapshot_id, a.node_id from sync.accepted_snapshot a where a.ended_at is null and a.ends_at < clock_timestamp()
  ), ended as (
    select sync.note_end(o.snapshot_id, o.node_id, 'its time was over') from overdue o
  )
  select count(*)::integer from ended
$$;
comment on function sync.end_overdue_snapshots() is
  'Ends the snapshots of stores whose time is over.';
