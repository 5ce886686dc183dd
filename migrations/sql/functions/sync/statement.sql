create or replace function sync.publish_statement(publication text, docs text, ops text, beats text, resends text)
returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
  select format(
    'do $do$ begin if not exists (select from pg_publication where pubname = %1$L) then '
    'create publication %1$I for table '
    'wire.doc (node_id, doc_id, business_date, kind, to_node, hlc, schema_version, chain, chain_seq, prev_hash, body, content_hash) where (%2$s), '
    'wire.op (node_id, seq, hlc, table_name, key, patch, base) where (%3$s), '
    'wire.beat (node_id, beat, hlc, low_water, ops, chains, version, more) where (%4$s), '
    'wire.resend (node_id, resend_id, to_node, hlc, kind, body) where (%5$s) '
    'with (publish = ''insert'', publish_via_partition_root = true); end if; end $do$', publication, docs, ops, beats, resends)
$$;
comment on function sync.publish_statement(text, text, text, text, text) is
  'The statement of a plan that makes a publication, if it is not there.';

create or replace function sync.slot_statement(slot text) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
  select format('select pg_create_logical_replication_slot(%1$L, ''pgoutput'') '
                'where not exists (select from pg_replication_slots where slot_name = %1$L)', slot)
$$;
comment on function sync.slot_statement(text) is
  'The statement of a plan that makes a slot, if it is not there.';

create or replace function sync.drop_slot_statement(slot text) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
  -- A peer that is still subscribed connects again at once, and may be quicker than the drop.
  select format(
    'do $do$ begin '
    'for attempt in 1 .. 20 loop '
    'perform pg_terminate_backend(active_pid, 5000) from pg_replication_slots where slot_name = %1$L and active_pid is not null; '
    'begin '
    'perform pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = %1$L; '
    'return; '
    'exception when object_in_use then if attempt = 20 then raise; end if; '
    'end; end loop; end $do$', slot)
$$;
comment on function sync.drop_slot_statement(text) is
  'The statement of a plan that drops a slot, if it is there.';

create or replace function sync.subscription_options(version integer, origin text) returns text
language sql immutable set search_path = pg_catalog, pg_temp
begin atomic
  -- Rows that arrive are written as tpv_apply and not as the owner of each table, whose role
  -- tpv_apply cannot take. A password in conninfo is not required: it may come from a passfile.
  select 'create_slot = false, enabled = false, copy_data = false, binary = true, streaming = off, disable_on_error = false'
    || case when version >= 160000 then format(', origin = %s, password_required = false, run_as_owner = true', origin) else '' end;
end;
comment on function sync.subscription_options(integer, text) is
  'The options of a subscription on a version of PostgreSQL.';

create or replace function sync.subscribe_statement(subscription text, conninfo text, publication text, slot text,
    origin text)
returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
  select format(
    'do $do$ declare version integer := current_setting(''server_version_num'')::integer; begin '
    'if exists (select from pg_subscription where subname = %1$L) then '
    'execute format(''alter subscription %1$I connection %%L'', sync.with_password(%1$L, %2$L)); '
    'else execute format(''create subscription %1$I connection %%L publication %3$I with (slot_name = %4$I, %%s)'', '
    'sync.with_password(%1$L, %2$L), sync.subscription_options(version, %5$L)); '
    -- Before 16 only a superuser can own a subscription: tpv_apply is a superuser within this
    -- transaction, and never after it. Two that do so at once would fail: one after the other.
    'if version < 160000 then perform pg_advisory_xact_lock(7631990, 0); alter role tpv_apply superuser; end if; '
    'alter subscription %1$I owner to tpv_apply; '
    'if version < 160000 then alter role tpv_apply nosuperuser; end if; '
    'end if; perform sync.note_conninfo(%1$L, %2$L); end $do$', subscription, conninfo, publication, slot, origin)
$$;
comment on function sync.subscribe_statement(text, text, text, text, text) is
  'The statement of a plan that subscribes without copying. Where the subscription exists, it '
  'changes only the connection.';

-- Of a subscription only superusers may read the connection, and these run with the rights of whoever
-- runs a plan. Nobody else reads sync.peer_password.
create or replace function sync.password_in(conninfo text) returns text
language sql immutable set search_path = pg_catalog, pg_temp
begin atomic
  select (regexp_match(password_in.conninfo, $$\m(password\s*=\s*(?:'(?:[^'\\]|\\.)*'|\S+))$$))[1];
end;
comment on function sync.password_in(text) is 'The word of a connection that has the password.';

create or replace function sync.keep_password(subscription text) returns void
language sql set search_path = pg_catalog, pg_temp as $$
  insert into sync.peer_password as w (node_id, word)
  select p.node_id, sync.password_in(s.subconninfo)
    from sync.peer p
    join pg_subscription s on s.subname = p.subscription_name
     and s.subdbid = (select d.oid from pg_database d where d.datname = current_database())
   where p.subscription_name = keep_password.subscription and sync.password_in(s.subconninfo) is not null
  on conflict (node_id) do update set word = excluded.word
$$;
comment on function sync.keep_password(text) is
  'Keeps the password of a subscription that a plan is about to drop, for the one that it makes then.';

create or replace function sync.with_password(subscription text, conninfo text) returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
  select case when conninfo ~* '\m(password|passfile|sslcert)\s*=' then conninfo
              else concat_ws(' ', conninfo, coalesce(
                (select sync.password_in(s.subconninfo) from pg_subscription s
                  where s.subname = subscription and s.subdbid = (select d.oid from pg_database d where d.datname = current_database())),
                (select w.word from sync.peer_password w join sync.peer p on p.node_id = w.node_id
                  where p.subscription_name = subscription))) end
$$;
comment on function sync.with_password(text, text) is
  'A connection, with the password that the subscription has or had, unless it says itself how it logs in.';

create or replace function sync.note_conninfo(subscription text, conninfo text) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  -- From now on the subscription has it.
  delete from sync.peer_password w using sync.peer p
   where p.node_id = w.node_id and p.subscription_name = note_conninfo.subscription;
  update sync.peer p
     set conninfo = btrim(regexp_replace(note_conninfo.conninfo, $$\s*\m(user|password)\s*=\s*('([^'\\]|\\.)*'|\S+)$$, '', 'g'))
   where p.subscription_name = note_conninfo.subscription;
end;
comment on function sync.note_conninfo(text, text) is
  'Notes how the server of a peer is reached, without user and password, for when it joins again.';

create or replace function sync.unsubscribe_statement(subscription text) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
  select format(
    'do $do$ begin if exists (select from pg_subscription where subname = %1$L) then '
    'perform sync.keep_password(%1$L); '
    'alter subscription %1$I disable; alter subscription %1$I set (slot_name = none); drop subscription %1$I; end if; end $do$', subscription)
$$;
comment on function sync.unsubscribe_statement(text) is
  'The statement of a plan that drops a subscription. It does not touch the slot, which may be gone.';

create or replace function sync.login_statement(login text, slot text, publication text) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
  -- The settings say what the extension lets it stream.
  select format(
    'do $do$ begin '
    'if not exists (select from pg_roles where rolname = %1$L) then create role %1$I; end if; '
    'alter role %1$I login replication nosuperuser nocreatedb nocreaterole nobypassrls; '
    'alter role %1$I set pg_tpv.peer_slot = %2$L; '
    'alter role %1$I set pg_tpv.peer_publication = %3$L; '
    'grant tpv_peer to %1$I; end $do$', login, slot, publication)
$$;
comment on function sync.login_statement(text, text, text) is
  'The statement of a plan that makes the login of a peer, if it is not there, and says what it may '
  'stream. It gives no password.';

create or replace function sync.drop_login_statement(login text) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
  select format(
    'do $do$ begin '
    'perform pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = %1$L; '
    'drop role if exists %1$I; end $do$', login)
$$;
comment on function sync.drop_login_statement(text) is
  'The statement of a plan that drops the login of a peer, and ends what it does.';

create or replace function sync.conninfo_as(conninfo text, login text) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
  if conninfo ~* '^postgres(ql)?://' or conninfo ~* '\muser\s*=' then
    raise exception 'a connection is given as words without a user, such as host=central.example dbname=tpv'
      using errcode = '22023', hint = 'The plan makes the login and names it.';
  end if;
  if conninfo ~* '\mapplication_name\s*=' then
    raise exception 'a connection of the chain has no application_name'
      using errcode = '22023', hint = 'The server names its life there.';
  end if;
  return format('%s user=%s', conninfo, login);
end $$;
comment on function sync.conninfo_as(text, text) is
  'How a node is reached, with the login that a plan makes there.';
