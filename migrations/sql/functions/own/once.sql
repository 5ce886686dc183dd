create or replace function sec.claim_key(key text, fingerprint bytea) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '2s' as $$
#variable_conflict use_column
declare
  known sec.idempotency;
begin
  -- Waits for the request of this key that is under way; not for long.
  insert into sec.idempotency (key, fingerprint) values (claim_key.key, claim_key.fingerprint) on conflict do nothing;
  if found then
    return null;
  end if;
  select * into known from sec.idempotency i where i.actor = sec.actor() and i.key = claim_key.key;
  if known.fingerprint is distinct from claim_key.fingerprint then
    raise exception 'that key was used for another request' using errcode = 'TPIDK', hint = 'Each request has a key of its own.';
  end if;
  return known.answer::jsonb;
end $$;
comment on function sec.claim_key(text, bytea) is
  'Takes a key for the request of this transaction: null. The answer when it was done before.';

create or replace function sec.keep_answer(key text, answer jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  update sec.idempotency i set answer = keep_answer.answer::text where i.actor = sec.actor() and i.key = keep_answer.key;
end $$;
comment on function sec.keep_answer(text, jsonb) is 'Keeps the answer to the request that has taken a key.';

create or replace function own.once(key text, fingerprint bytea, call text, args jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
  answer jsonb;
begin
  if not exists (select from sec.resource r where r.kind = 'verb' and r.name = once.call) then
    perform sec.refuse_hidden();
  end if;
  if not exists (select from sec.resource r
                  where r.kind = 'verb' and r.name = once.call and tpv.acting_role() is not null
                    and (r.permission is null or sec.may(r.permission))) then
    raise exception 'the role does not have the permission for that' using errcode = 'TP403';
  end if;
  if once.key is not null then
    answer := sec.claim_key(once.key, once.fingerprint);
    if answer = '{}' then
      perform sec.refuse_conflict('what that request made was erased meanwhile', 'erased');
    elsif answer is not null then
      return jsonb_build_object('answer', answer, 'replayed', true);
    end if;
  end if;
  execute format('select own.%I($1)', once.call) into answer using once.args;
  if once.key is not null then
    perform sec.keep_answer(once.key, answer);
  end if;
  return jsonb_build_object('answer', answer, 'replayed', false);
end $$;
comment on function own.once(text, bytea, text, jsonb) is
  'Calls a function of schema own once for a key, whatever happens to the answer on its way: who asks '
  'again under the key gets the same answer. fingerprint is a hash of the request. Without a key it is '
  'just called.';
do $$
declare
  scoped text;
begin
  for scoped in select 'tpv_' || r.role from sec.role r loop
    execute format('grant execute on function own.once(text, bytea, text, jsonb) to %I', scoped);
  end loop;
end $$;
