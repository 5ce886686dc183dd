create or replace function sync.policy_key(table_name text, column_name text) returns uuid
language sql immutable set search_path = pg_catalog, pg_temp
begin atomic
  -- A uuid v8 made of the names.
  select (overlay(overlay(s.h placing '8' from 13) placing '8' from 17))::uuid
    from (select substr(encode(sha256(convert_to(table_name || ' ' || column_name, 'UTF8')), 'hex'), 1, 32)) as s (h);
end;
comment on function sync.policy_key(text, text) is
  'The key of a policy. It is the same at whichever node it is made.';

create or replace function sync.lock_policies() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  -- Alone among merges: one that had read the old rule would leave a value that the change does not
  -- see.
  lock table tpv_lock.merge in exclusive mode;
  return null;
end $$;
comment on function sync.lock_policies() is 'Keeps merges from running while policies change.';

create or replace function sync.check_policy() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if not tpv.is_capturing() then
    return new;
  end if;
  if tg_op = 'UPDATE'
     and (new.policy_id, new.table_name, new.column_name) is distinct from (old.policy_id, old.table_name, old.column_name) then
    raise exception 'the column of a policy cannot change'
      using errcode = '22023', hint = 'Set deleted = true, and insert another policy.';
  end if;
  if exists (select from sync.this_node t join org.node n on n.node_id = t.node_id where n.kind <> 'central') then
    raise exception 'policies are decided by central'
      using errcode = '42501', hint = 'Change it at central; it arrives here by itself.';
  end if;
  new.policy_id := sync.policy_key(new.table_name, new.column_name);
  if not new.deleted then
    perform tpv.policy_check(new.table_name, new.column_name, new.rule);
  end if;
  return new;
end $$;
comment on function sync.check_policy() is
  'Refuses a policy that cannot be applied, and one that is written in a store.';

create or replace function sync.policy_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  -- Not by sync.sibling: values that the old policy united are no conflict on record there, and may
  -- be one now.
  perform tpv.choose_again(h.table_name, h.key, new.column_name)
     from (select i.table_name, i.key from sync.head i
            where i.table_name = new.table_name and i.contested
            order by 1, 2) h;
  return null;
end $$;
comment on function sync.policy_changed() is
  'Chooses again among concurrent values when their policy changes.';

create or replace function sync.policy_dry_run(table_name text, column_name text, rule jsonb)
returns table (key text, value_now jsonb, value_then jsonb, differs boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform sync.refuse_secret(policy_dry_run.table_name);
  return query
    select d.key, d.value_now, d.value_then, d.differs
      from tpv.policy_dry_run(policy_dry_run.table_name, policy_dry_run.column_name, policy_dry_run.rule) d;
end $$;
comment on function sync.policy_dry_run(text, text, jsonb) is
  'What a policy would choose among concurrent values, beside the present value. Changes nothing.';
grant execute on function sync.policy_dry_run(text, text, jsonb) to tpv_operator;
