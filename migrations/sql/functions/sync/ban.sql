create or replace function sync.store_number(store text) returns integer
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  number integer := (select n.node_id from org.node n where n.node_code = store_number.store and n.kind = 'store');
begin
  if number is null then
    raise exception 'there is no store of that name' using errcode = 'P0002', hint = 'Give it as org.node.node_code has it, such as S02.';
  end if;
  return number;
end $$;
comment on function sync.store_number(text) is 'The number of a store''s node, by its name; refuses a name that no store has.';

create or replace function sync.require_central() returns void
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  if not exists (select from org.node n where n.node_id = org.this_node() and n.kind = 'central') then
    raise exception 'this node is not central' using errcode = '22023', hint = 'Central decides that. Run it there.';
  end if;
end $$;
comment on function sync.require_central() is 'Refuses what central alone does.';

create or replace function sync.refuse_banned(node integer) returns void
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  known org.ban;
begin
  select * into known from org.ban b where b.node_id = refuse_banned.node and b.lifted_at is null and not b.deleted;
  if found then
    raise exception 'node % is banned', node using errcode = '55000',
      detail = format('It was banned at %s. The reason was: %s.', known.banned_at, known.why),
      hint = 'A new machine joins under a number and a name of its own. If this machine was found and is to be '
             'trusted again: sync.unban(store, why), then sync.rejoin_plan.';
  end if;
end $$;
comment on function sync.refuse_banned(integer) is 'Refuses a node that is banned, and says what to do instead.';

create or replace function sync.joined_before_ban(node integer) returns bigint
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select b.joined_seq from org.ban b
   where b.node_id = joined_before_ban.node and b.joined_seq is not null and not b.deleted
   order by b.banned_at desc limit 1;
end;
comment on function sync.joined_before_ban(integer) is
  'Up to which operation a store was alone when it joined, as its latest ban that knew it says. What a store '
  'that was banned wrote meanwhile is not of before.';

-- What follows are the steps of sync.ban, each a transaction of its own. Those that end a subscription, a
-- slot or a login run with the rights of their caller, as the statements of a plan do: the owner of the
-- tables may do none of it.
create or replace function sync.shut_login(store text, why text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  login text := sync.login_name(store);
begin
  if current_setting('is_superuser') <> 'on' then
    raise exception 'a superuser bans a store' using errcode = '42501',
      hint = 'It ends a subscription, a slot and a login. If you have become another role: reset role.';
  end if;
  perform sync.require_central(), sync.store_number(store);
  if coalesce(shut_login.why, '') = '' then
    raise exception 'a reason is required' using errcode = '22023', hint = 'It stays on record, and names no person.';
  end if;
  -- An older snapshot would not see the store's last operation.
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'a store is banned in a transaction of isolation level read committed' using errcode = '25001';
  end if;
  if exists (select from pg_roles r where r.rolname = login) then
    execute format('alter role %I nologin', login);
  end if;
end $$;
comment on function sync.shut_login(text, text) is
  'The first step of sync.ban: refuses what is no ban, and lets nobody log in any more as the store.';

create or replace function sync.end_subscription(store text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  -- Its worker has ended then: nothing of the store is on its way into a table here.
  execute sync.unsubscribe_statement('tpv_from_' || sync.name_part(store));
end $$;
comment on function sync.end_subscription(text) is 'A step of sync.ban: nothing of the store is taken any more.';

create or replace function sync.end_stream(store text) returns text
language plpgsql set search_path = pg_catalog, pg_temp set client_min_messages = 'warning' set lock_timeout = '10s' as $$
declare
  login text := sync.login_name(store);
  stream text := 'tpv_to_' || sync.name_part(store);
begin
  -- Whoever was logging in when the login was shut may still come through, and take the slot.
  for attempt in 1 .. 50 loop
    perform pg_stat_clear_snapshot();
    perform pg_terminate_backend(a.pid) from pg_stat_activity a where a.usename = login;
    perform pg_terminate_backend(s.active_pid, 1000) from pg_replication_slots s where s.slot_name = stream and s.active_pid is not null;
    begin
      perform pg_drop_replication_slot(s.slot_name) from pg_replication_slots s where s.slot_name = stream;
      exit;
    exception when object_in_use then
      perform pg_sleep(0.1);
    end;
  end loop;
  if exists (select from pg_replication_slots s where s.slot_name = stream) then
    return format('its slot %s, which is in use', stream);
  end if;
  begin
    execute format('drop publication if exists %I', stream);
    execute sync.drop_login_statement(login);
  exception when dependent_objects_still_exist or lock_not_available then
    return format('its login %s, which is shut, or its publication (%s)', login, sqlerrm);
  end;
  return null;
end $$;
comment on function sync.end_stream(text) is
  'A step of sync.ban: nothing is sent to the store any more. Returns what could not be ended.';

create or replace function sync.record_ban(store text, why text) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '10s' as $$
declare
  node integer := sync.store_number(store);
  known org.ban;
  last bigint;
begin
  perform sync.require_central();
  if exists (select from sync.op_counter c where c.node_id = org.this_node() and c.held) then
    raise exception 'this server was restored from a backup, and has not got back yet what it forgot: RESTORED' using errcode = '55000',
      detail = 'The store''s stream and its login here have ended. The ban is not on record, and no other node knows of it.',
      hint = 'Bring this server back with sync.restored_plan, which leaves that store out. Then ban it again.';
  end if;
  select * into known from org.ban b where b.node_id = node and b.lifted_at is null and not b.deleted for update;
  last := greatest((select max(o.seq) from wire.op o where o.node_id = node),
                   (select h.seq from sync.horizon h where h.node_id = node), 0);
  if known.last_seq >= last then
    return format('%s was banned already, at %s: nothing after its operation %s is believed', store, known.banned_at, known.last_seq);
  end if;
  if known.ban_id is not null then
    -- This server was restored from a backup of before the ban, and took more of the store until it heard of
    -- it. The others take that now: all nodes have the same.
    update org.ban b set last_seq = last where b.ban_id = known.ban_id;
    set constraints all immediate;
    return format('%s was banned already, at %s, and more of it has come here since: nothing after its operation %s is believed now, '
                  'and not %s as before', store, known.banned_at, last, known.last_seq);
  end if;
  insert into org.ban (node_id, last_seq, joined_seq, banned_at, banned_by, why)
  values (node, last, coalesce((select p.joined_seq from sync.peer p where p.node_id = node), sync.joined_before_ban(node)),
          clock_timestamp(), sec.actor(), record_ban.why);
  insert into sec.audit (event, subject, detail) values ('STORE_BANNED', format('node %s', node), record_ban.why);
  -- The number of the operation is given at the end: what else waits then waits here.
  set constraints all immediate;
  return format('%s is banned: nothing after its operation %s is believed', store, last);
exception when lock_not_available then
  raise exception 'the ban is not on record: a row that it needs is locked' using errcode = '55P03',
    detail = 'The store''s stream and its login here have ended.',
    hint = 'See pg_stat_activity and pg_blocking_pids for who locks it. End that session, and call sync.ban again.';
end $$;
comment on function sync.record_ban(text, text) is
  'A step of sync.ban: notes that a store is banned, for every node. Its stream has ended before.';

create or replace function sync.forget_banned(store text) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '10s' as $$
declare
  node integer := sync.store_number(store);
begin
  perform sync.remove_peer(node);
  return null;
exception when lock_not_available then
  return 'what is kept for it as a peer';
end $$;
comment on function sync.forget_banned(text) is
  'A step of sync.ban: the store is no peer any more. Returns what is left to do, because somebody locks it.';

create or replace function sync.withdraw_banned(store text, out people integer, out left_over text)
language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '10s' as $$
declare
  node integer := sync.store_number(store);
begin
  -- Nobody is sent there any more, and what its gateway could open is worth nothing. When the ban is
  -- repeated, too: this server may have been restored from a backup of before it.
  update org.store s set gateway_url = null where s.node_id = node and not s.deleted and s.gateway_url is not null;
  people := sec.withdraw_gateway(node);
  set constraints all immediate;
exception when lock_not_available then
  left_over := 'its gateway''s key, what was sealed for it, its gateway_url, and the sessions of who has a password there';
end $$;
comment on function sync.withdraw_banned(text) is
  'A step of sync.ban: withdraws what the store''s gateway could open. Returns how many people had a password '
  'there, and what is left to do, because somebody locks a row of it.';

create or replace function sync.tell_ban(recorded text, people integer, variadic left_over text[]) returns text
language sql immutable set search_path = pg_catalog, pg_temp
begin atomic
  select concat_ws('; ', recorded,
    case when people > 0 then format('employees whose passwords are on that machine, and should be changed: %s', people) end,
    case when cardinality(array_remove(left_over, null)) > 0
      then format('NOT DONE YET: %s: call sync.ban again', array_to_string(left_over, '; ')) end);
end;
comment on function sync.tell_ban(text, integer, text[]) is 'What sync.ban answers.';

-- It commits after each step, so that a thief who is quick, or a row that somebody locks, undoes none that
-- is done. Such a procedure can have no settings: all names are written in full, and the steps do the rest.
create or replace procedure sync.ban(store text, why text, inout told text default null)
language plpgsql as $$
declare
  stream_left text;
  peer_left text;
  gateway_left text;
  people integer;
begin
  perform sync.shut_login(store, why);
  commit;
  perform sync.end_subscription(store);
  commit;
  stream_left := sync.end_stream(store);
  commit;
  told := sync.record_ban(store, why);
  commit;
  peer_left := sync.forget_banned(store);
  commit;
  select w.people, w.left_over into people, gateway_left from sync.withdraw_banned(store) w;
  commit;
  told := sync.tell_ban(told, people, stream_left, peer_left, gateway_left);
end $$;
comment on procedure sync.ban(text, text, text) is
  'For a store whose machine was stolen, at central, by a superuser, and not within a transaction: its login, '
  'subscription, slot and publication end, what it wrote after that is refused at every node, and its number '
  'cannot join again (org.ban). Answers what is done, and what is left to do because somebody locks it. Can be '
  'repeated. sync.written_by shows what it may have written, sync.undo_written takes it back.';

create or replace function sync.unban(store text, why text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  node integer := sync.store_number(store);
begin
  perform sync.require_central();
  if coalesce(unban.why, '') = '' then
    raise exception 'a reason is required' using errcode = '22023', hint = 'It stays on record, and names no person.';
  end if;
  update org.ban b set lifted_at = clock_timestamp(), lifted_by = sec.actor(), lifted_why = unban.why
   where b.node_id = node and b.lifted_at is null and not b.deleted;
  if not found then
    raise exception 'that store is not banned' using errcode = 'P0002', hint = 'Those that are banned are in org.ban, where lifted_at is null.';
  end if;
  insert into sec.audit (event, subject, detail) values ('BAN_LIFTED', format('node %s', node), unban.why);
end $$;
comment on function sync.unban(text, text) is
  'Lifts the ban of a store whose machine was found and is to be trusted again. sync.rejoin_plan brings it '
  'back, with all that it wrote meanwhile.';
