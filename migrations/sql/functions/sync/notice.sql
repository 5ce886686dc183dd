create or replace function sync.notice_restored(how text, life integer default null) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  here integer := org.this_node();
  last_life integer := (select max(r.life) from sync.restored r);
begin
  -- Whoever records waits, and sees the new life then.
  perform from sync.hash_chain c where c.node_id = here order by c.chain for update;
  insert into sync.op_counter as c (node_id, last_seq, held) values (here, 0, true)
  on conflict (node_id) do update set held = true;
  if exists (select from sync.restored r where r.ended_at is null) then
    update sync.restored r set life = notice_restored.life
     where r.ended_at is null and r.life < notice_restored.life;
    return;
  end if;
  life := greatest(coalesce(life, 0), coalesce(last_life, 1) + 1,
                   (select max(substring(c.chain from '~([0-9]{1,9})$')::integer) + 1
                      from sync.hash_chain c where c.node_id = here));
  insert into sync.restored (how, life) values (notice_restored.how, notice_restored.life);
  insert into sec.audit (event, subject, detail) values ('RESTORED', format('node %s', here), notice_restored.how);
  raise log 'pg_tpv: this server was restored from a backup: %', notice_restored.how
    using hint = 'Changes of what the chain shares are refused until it has got back what it forgot. See sync.restored.';
end $$;
comment on function sync.notice_restored(text, integer) is
  'Notes that this server was restored from a backup. From then on hash chains go on in a new life, '
  'and changes of tracked tables are refused until all that was forgotten is here.';

create or replace function sync.end_restored(why text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if coalesce(why, '') = '' then
    raise exception 'a reason is required' using errcode = '22023', hint = 'It stays on record, and names no person.';
  end if;
  update sync.restored r set ended_at = clock_timestamp(), ended_why = end_restored.why where r.ended_at is null;
  if not found then
    raise exception 'this server has not noticed that it was restored, or it is over'
      using errcode = 'P0002', hint = 'sync.restored has when it was.';
  end if;
  update sync.op_counter c set held = false where c.node_id = org.this_node();
  delete from sync.own_chain;
  insert into sec.audit (event, subject, detail)
  values ('RESTORED_ENDED', format('node %s', org.this_node()), end_restored.why);
end $$;
comment on function sync.end_restored(text) is
  'Ends by hand what sync.notice_restored began: what this server has forgotten and not got back stays '
  'forgotten. Needed only when a peer never comes back that would have said that nothing is missing.';
grant execute on function sync.end_restored(text) to tpv_operator;

create or replace function sync.next_life(said jsonb, here jsonb) returns integer
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select tpv.next_life(said, here, coalesce((select max(r.life) from sync.restored r), 1))
$$;
comment on function sync.next_life(jsonb, jsonb) is
  'The life in which hash chains go on, given what a peer has of this node''s rows and what is here.';

create or replace function sync.look_at_server() returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  here org.node := (select n from org.node n where n.node_id = org.this_node());
  was sync.server := (select s from sync.server s where s.node_id = org.this_node());
  now_on integer := ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::integer;
  now_there text[] := (select coalesce(array_agg(s.slot_name::text order by s.slot_name), '{}') from pg_replication_slots s
                    where s.database = current_database() and starts_with(s.slot_name, 'tpv_'));
  ahead integer := (select count(*) from pg_replication_slots s
                     where s.database = current_database() and starts_with(s.slot_name, 'tpv_')
                       and s.confirmed_flush_lsn > pg_current_wal_insert_lsn());
begin
  if here is null then
    return;
  end if;
  if was.started_at is distinct from pg_postmaster_start_time() or was.timeline <> now_on then
    insert into sync.server as s (node_id, timeline, slots, started_at, token, token_at)
    values (here.node_id, now_on, now_there, pg_postmaster_start_time(), tpv.hlc_now(), clock_timestamp())
    on conflict (node_id) do update
      set timeline = excluded.timeline, slots = excluded.slots, started_at = excluded.started_at,
          token = excluded.token, token_at = excluded.token_at;
    if here.kind = 'central' and was.timeline <> now_on then
      perform sync.notice_restored(format('its timeline was %s and is %s: a standby was promoted, or a base backup was restored',
                                          was.timeline, now_on));
    elsif here.kind = 'central' and now_there = '{}' and was.slots <> '{}' then
      perform sync.notice_restored('the slots that it had are gone: it was made of a base backup');
    end if;
  elsif now_there <> was.slots then
    update sync.server s set slots = now_there where s.node_id = here.node_id;
  end if;
  -- A subscriber can say anything, so central believes two.
  if not exists (select from sync.restored r where r.ended_at is null) then
    if ahead > (case here.kind when 'central' then 1 else 0 end) then
      perform sync.notice_restored('peers have confirmed WAL of this server that it has not written');
    elsif (select count(distinct c.from_node) from sync.clone c
            where c.node_id = here.node_id and c.is_here and c.settled_at is null
              and c.last_at > coalesce((select max(r.ended_at) from sync.restored r), '-infinity'))
          > (case here.kind when 'central' then 1 else 0 end) then
      perform sync.notice_restored('peers refuse this server: they have seen a later start of it');
    end if;
  end if;
end $$;
comment on function sync.look_at_server() is
  'Looks whether this server was restored from a backup, as far as it can see that by itself. The '
  'background worker calls it.';
grant execute on function sync.look_at_server() to tpv_worker;

create or replace function sync.own_token(out token bigint, out stamps integer)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  asks sync.server;
  open sync.restored;
  pause interval;
begin
  select * into asks from sync.server s where s.node_id = org.this_node();
  select * into open from sync.restored r where r.ended_at is null;
  if asks.node_id is null
     or (open.restored_id is null
         and not exists (select from sync.peer p where coalesce(p.own_at < asks.started_at, true))) then
    return;
  end if;
  -- Whoever does not answer is asked more and more seldom.
  pause := case when open.restored_id is not null then interval '5 seconds'
                else least(greatest(interval '10 seconds', (clock_timestamp() - asks.started_at) / 5), interval '1 hour') end;
  if asks.token_at < clock_timestamp() - pause then
    update sync.server s set token = tpv.hlc_now(), token_at = clock_timestamp() where s.node_id = asks.node_id
    returning * into asks;
  end if;
  token := asks.token;
  stamps := coalesce(open.stamps, 100);
end $$;
comment on function sync.own_token() is
  'What the next heartbeat carries to ask peers what they have of this node''s rows; nulls when it '
  'does not ask.';
grant execute on function sync.own_token() to tpv_worker;
