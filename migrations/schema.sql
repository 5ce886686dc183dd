-- What the migrations make of an empty database, to be read: pg_dump --schema-only of PostgreSQL 15,
-- without versions, the partitions of single months, the schema of pg_cron, and statements that say
-- again who owns an object. Nobody edits this file: it is written by
--     TPV_WRITE=1 ./tpv test it schema
-- and compared by the same test.

-- catalog; Type: SCHEMA; Schema: -; Owner: tpv_owner
CREATE SCHEMA catalog;
COMMENT ON SCHEMA catalog IS 'What is sold and what the codes on it mean.';

-- pg_cron; Type: EXTENSION; Schema: -; Owner: -
CREATE EXTENSION IF NOT EXISTS pg_cron WITH SCHEMA pg_catalog;
COMMENT ON EXTENSION pg_cron IS 'Job scheduler for PostgreSQL';

-- dat; Type: SCHEMA; Schema: -; Owner: tpv_owner
CREATE SCHEMA dat;
COMMENT ON SCHEMA dat IS 'The fixed-width files for the legacy checkout: layouts, published bytes, pending work.';

-- org; Type: SCHEMA; Schema: -; Owner: tpv_owner
CREATE SCHEMA org;
COMMENT ON SCHEMA org IS 'Who and where: nodes, legal entities, stores, departments, terminals.';

-- party; Type: SCHEMA; Schema: -; Owner: tpv_owner
CREATE SCHEMA party;
COMMENT ON SCHEMA party IS 'People: customers.';

-- sales; Type: SCHEMA; Schema: -; Owner: tpv_owner
CREATE SCHEMA sales;
COMMENT ON SCHEMA sales IS 'Receipts as analysts read them (projections of wire.doc), and the functions that receive files of terminals.';

-- sec; Type: SCHEMA; Schema: -; Owner: tpv_owner
CREATE SCHEMA sec;
COMMENT ON SCHEMA sec IS 'Events for whoever is responsible for security.';

-- sync; Type: SCHEMA; Schema: -; Owner: tpv_owner
CREATE SCHEMA sync;
COMMENT ON SCHEMA sync IS 'What this node knows of its peers, and what is kept for the merge: local, never replicated. Only sync.policy is shared.';

-- tpv; Type: SCHEMA; Schema: -; Owner: postgres
CREATE SCHEMA tpv;
ALTER SCHEMA tpv OWNER TO postgres;

-- tpv_migration; Type: SCHEMA; Schema: -; Owner: tpv_owner
CREATE SCHEMA tpv_migration;
COMMENT ON SCHEMA tpv_migration IS 'What tpv-migrate did to this database.';

-- wire; Type: SCHEMA; Schema: -; Owner: tpv_owner
CREATE SCHEMA wire;
COMMENT ON SCHEMA wire IS 'The only tables that replicate. Documents and operations are written once and never changed.';

-- pg_tpv; Type: EXTENSION; Schema: -; Owner: -
CREATE EXTENSION IF NOT EXISTS pg_tpv WITH SCHEMA tpv;
COMMENT ON EXTENSION pg_tpv IS 'tpv: receipts, .dat files and the documents of a retail chain';

-- barcode_rules(integer); Type: FUNCTION; Schema: catalog; Owner: tpv_owner
CREATE FUNCTION catalog.barcode_rules(node_id integer) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select coalesce(jsonb_agg(catalog.rule_as_json(r) order by r.priority, r.name), '[]')
    from catalog.barcode_rule r
   where r.node_id is null or r.node_id = barcode_rules.node_id
$$;
COMMENT ON FUNCTION catalog.barcode_rules(node_id integer) IS 'The rules that hold in a store, as tpv.barcode_decode reads them.';

-- check_rule(); Type: FUNCTION; Schema: catalog; Owner: tpv_owner
CREATE FUNCTION catalog.check_rule() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  -- Raises 22023 with every fault: a bad rule must not get as far as a receipt.
  perform tpv.barcode_decode('0', jsonb_build_array(catalog.rule_as_json(new)));
  return new;
end $$;
COMMENT ON FUNCTION catalog.check_rule() IS 'Refuses a barcode rule with faults.';
SET default_tablespace = '';
SET default_table_access_method = heap;

-- barcode_rule; Type: TABLE; Schema: catalog; Owner: tpv_owner
CREATE TABLE catalog.barcode_rule (
    barcode_rule_id uuid DEFAULT tpv.uuid7() NOT NULL,
    name text NOT NULL,
    priority integer DEFAULT 100 NOT NULL,
    prefix text NOT NULL,
    length smallint NOT NULL,
    kind text NOT NULL,
    item_start smallint,
    item_length smallint,
    value_start smallint,
    value_length smallint,
    decimals smallint DEFAULT 0 NOT NULL,
    inner_check text DEFAULT 'none'::text NOT NULL,
    inner_check_position smallint,
    node_id integer,
    department_code text,
    valid_from date,
    valid_to date,
    CONSTRAINT barcode_rule_name_check CHECK ((name <> ''::text)),
    CONSTRAINT barcode_rule_priority_check CHECK ((priority >= 0))
);
COMMENT ON TABLE catalog.barcode_rule IS 'How to read restricted barcodes: where the item and the value stand in the number.';
COMMENT ON COLUMN catalog.barcode_rule.barcode_rule_id IS 'Key.';
COMMENT ON COLUMN catalog.barcode_rule.name IS 'Name for people; what is decoded names it.';
COMMENT ON COLUMN catalog.barcode_rule.priority IS 'Lower is tried first.';
COMMENT ON COLUMN catalog.barcode_rule.prefix IS 'Digits the number begins with.';
COMMENT ON COLUMN catalog.barcode_rule.length IS 'Digits the number has, check digit included.';
COMMENT ON COLUMN catalog.barcode_rule.kind IS 'What the value is: price, weight, count or ticket.';
COMMENT ON COLUMN catalog.barcode_rule.item_start IS 'Position, from 1, of the digits that name the item.';
COMMENT ON COLUMN catalog.barcode_rule.item_length IS 'How many digits name the item.';
COMMENT ON COLUMN catalog.barcode_rule.value_start IS 'Position, from 1, of the digits that are the value.';
COMMENT ON COLUMN catalog.barcode_rule.value_length IS 'How many digits the value has.';
COMMENT ON COLUMN catalog.barcode_rule.decimals IS 'How many digits of the value stand behind the decimal point.';
COMMENT ON COLUMN catalog.barcode_rule.inner_check IS 'Check digit over the value: none, price4 or price5.';
COMMENT ON COLUMN catalog.barcode_rule.inner_check_position IS 'Position of that digit; null for right before the value.';
COMMENT ON COLUMN catalog.barcode_rule.node_id IS 'The only store it holds in; null for all.';
COMMENT ON COLUMN catalog.barcode_rule.department_code IS 'The only department it holds in; null for all.';
COMMENT ON COLUMN catalog.barcode_rule.valid_from IS 'First day it holds; null for always.';
COMMENT ON COLUMN catalog.barcode_rule.valid_to IS 'Last day it holds; null for always.';

-- rule_as_json(catalog.barcode_rule); Type: FUNCTION; Schema: catalog; Owner: tpv_owner
CREATE FUNCTION catalog.rule_as_json(r catalog.barcode_rule) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select jsonb_strip_nulls(jsonb_build_object(
    'name', r.name, 'priority', r.priority, 'prefix', r.prefix, 'length', r.length, 'kind', r.kind,
    'item', case when r.item_start is not null then jsonb_build_object('start', r.item_start, 'length', r.item_length) end,
    'value', case when r.value_start is not null then jsonb_build_object('start', r.value_start, 'length', r.value_length) end,
    'decimals', r.decimals, 'inner_check', r.inner_check, 'inner_check_position', r.inner_check_position,
    'department', r.department_code, 'valid_from', r.valid_from, 'valid_to', r.valid_to))
$$;
COMMENT ON FUNCTION catalog.rule_as_json(r catalog.barcode_rule) IS 'The rule as tpv.barcode_decode reads it.';

-- pending_ack(bigint, text, text); Type: FUNCTION; Schema: dat; Owner: tpv_owner
CREATE FUNCTION dat.pending_ack(pending_id bigint, result text, detail text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  update dat.pending p
     set done_at = clock_timestamp(), result = pending_ack.result, detail = pending_ack.detail
   where p.pending_id = pending_ack.pending_id and p.done_at is null and p.action = 'withdraw'
$$;
COMMENT ON FUNCTION dat.pending_ack(pending_id bigint, result text, detail text) IS 'Records how a withdrawal ended: done, or failed when the file was gone already.';

-- pending_list(integer); Type: FUNCTION; Schema: dat; Owner: tpv_owner
CREATE FUNCTION dat.pending_list(max_rows integer) RETURNS TABLE(pending_id bigint, terminal text, action text, dat_folder text, dat_name text, trigger_name text, sha256 bytea)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select p.pending_id, p.terminal, p.action, p.folder, p.name, p.trigger_name, p.sha256
    from dat.pending p
   where p.done_at is null
   order by p.pending_id
   limit max_rows
$$;
COMMENT ON FUNCTION dat.pending_list(max_rows integer) IS 'What is to be done on the disk, oldest first.';

-- pending_take(bigint); Type: FUNCTION; Schema: dat; Owner: tpv_owner
CREATE FUNCTION dat.pending_take(pending_id bigint) RETURNS TABLE(dat_folder text, dat_name text, dat bytea, trigger_name text)
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  with taken as (
    update dat.pending p set done_at = clock_timestamp(), result = 'done'
     where p.pending_id = pending_take.pending_id and p.done_at is null and p.action = 'publish'
    returning p.node_id, p.receipt_id, p.sha256
  )
  select f.folder, f.name, f.bytes, f.trigger_name
    from taken t
    join dat.file f on f.node_id = t.node_id and f.receipt_id = t.receipt_id and f.sha256 = t.sha256
$$;
COMMENT ON FUNCTION dat.pending_take(pending_id bigint) IS 'Claims a publication, which is done when the caller''s transaction commits. Returns no row if it was claimed before or cancelled.';

-- render_again(uuid, text); Type: FUNCTION; Schema: dat; Owner: tpv_owner
CREATE FUNCTION dat.render_again(receipt_id uuid, why text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$ select tpv.render_again(receipt_id, why) $$;
COMMENT ON FUNCTION dat.render_again(receipt_id uuid, why text) IS 'Renders the .dat of a receipt again, with the present layout, and publishes it in place of the old one.';

-- save_profile(jsonb, text, integer); Type: FUNCTION; Schema: dat; Owner: tpv_owner
CREATE FUNCTION dat.save_profile(profile jsonb, department_code text DEFAULT NULL::text, node_id integer DEFAULT NULL::integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  problem record;
  faults text;
  saved integer;
begin
  for problem in select * from tpv.dat_profile_check(save_profile.profile) loop
    if problem.detail like 'warning: %' then
      raise warning '% at "%": %', problem.code, problem.pointer, substr(problem.detail, 10);
    else
      faults := concat_ws('; ', faults, format('%s at "%s": %s', problem.code, problem.pointer, problem.detail));
    end if;
  end loop;
  if faults is not null then
    raise exception 'the profile has faults' using errcode = '22023', detail = faults;
  end if;
  -- One saver at a time, so that versions count without gaps.
  lock table dat.profile in share row exclusive mode;
  insert into dat.profile (node_id, department_code, version, profile)
  select coalesce(save_profile.node_id, org.this_node()), save_profile.department_code,
         coalesce(max(p.version), 0) + 1, save_profile.profile
    from dat.profile p
   where p.node_id = coalesce(save_profile.node_id, org.this_node())
     and p.department_code is not distinct from save_profile.department_code
  returning version into saved;
  return saved;
end $$;
COMMENT ON FUNCTION dat.save_profile(profile jsonb, department_code text, node_id integer) IS 'Saves a layout for one department, or for the whole store (node_id; this one if it is not given), and returns its version. Faults are refused with 22023, all at once; what is merely unwise is a warning.';

-- staged(text, text, bytea); Type: FUNCTION; Schema: dat; Owner: tpv_owner
CREATE FUNCTION dat.staged(dat_folder text, dat_name text, sha256 bytea) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select case
    when f.receipt_id is not null and f.sha256 = staged.sha256 and f.withdrawn_at is null then 'publish'
    when f.sha256 = staged.sha256
      or exists (select from dat.superseded s
                  where s.folder = dat_folder and s.name = dat_name and s.sha256 = staged.sha256) then 'withdrawn'
    else 'unknown'
  end
  from (select) one
  left join dat.file f on f.node_id = org.this_node() and f.folder = dat_folder and f.name = dat_name
$$;
COMMENT ON FUNCTION dat.staged(dat_folder text, dat_name text, sha256 bytea) IS 'What a staged file is: publish (belongs on the disk), withdrawn, or unknown (its transaction never committed).';

-- withdraw(uuid, text); Type: FUNCTION; Schema: dat; Owner: tpv_owner
CREATE FUNCTION dat.withdraw(receipt_id uuid, why text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$ select tpv.withdraw_dat(receipt_id, why) $$;
COMMENT ON FUNCTION dat.withdraw(receipt_id uuid, why text) IS 'Takes the .dat of a receipt away from the checkout. The receipt stays as it is. A withdrawal that came too late is listed in dat.withdraw_failed.';

-- register_central(integer, text); Type: FUNCTION; Schema: org; Owner: tpv_owner
CREATE FUNCTION org.register_central(node_id integer, node_code text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
declare
  tracked record;
begin
  if org.this_node() <> register_central.node_id then
    raise exception 'this database is another node'
      using errcode = '22023', detail = format('It is node %s.', org.this_node());
  end if;
  insert into org.node (node_id, node_code, kind) values (register_central.node_id, register_central.node_code, 'central')
  on conflict on constraint node_pkey do update set node_code = excluded.node_code;
  insert into sync.this_node (node_id) values (register_central.node_id) on conflict do nothing;
  -- Rows that migrations wrote are the same at every node and have no operation yet: central writes
  -- one for each.
  for tracked in select * from sync.tracked_table order by tracked_at, table_name loop
    execute format('select tpv.capture_change(%L, null, to_jsonb(t)) from %s t '
                   'where not exists (select from sync.head h where h.table_name = %L and h.key = t.%I::text)',
                   tracked.table_name, tracked.table_name, tracked.table_name, tracked.key_column);
  end loop;
end $$;
COMMENT ON FUNCTION org.register_central(node_id integer, node_code text) IS 'Makes this database the central node. Can be repeated.';

-- register_department(text, text, text, integer); Type: FUNCTION; Schema: org; Owner: tpv_owner
CREATE FUNCTION org.register_department(code text, name text, concessionaire text DEFAULT NULL::text, node_id integer DEFAULT NULL::integer) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  entity uuid;
begin
  if concessionaire is not null then
    -- There is no unique index: two stores may each register a concessionaire before they join.
    lock table org.legal_entity in share row exclusive mode;
    select e.legal_entity_id into entity from org.legal_entity e where e.name = concessionaire order by 1 limit 1;
    if not found then
      insert into org.legal_entity (name) values (concessionaire) returning legal_entity_id into entity;
    end if;
  end if;
  insert into org.department as d (node_id, code, name, legal_entity_id)
  values (coalesce(register_department.node_id, org.this_node()), register_department.code, register_department.name, entity)
  on conflict on constraint department_node_id_code_key do update
    set name = excluded.name, legal_entity_id = coalesce(excluded.legal_entity_id, d.legal_entity_id);
end $$;
COMMENT ON FUNCTION org.register_department(code text, name text, concessionaire text, node_id integer) IS 'Registers a department, or renames it. concessionaire is the registered name of whoever leases it; node_id the store, this one if it is not given.';

-- register_store(integer, text, text, text, integer, text); Type: FUNCTION; Schema: org; Owner: tpv_owner
CREATE FUNCTION org.register_store(node_id integer, node_code text, name text, timezone text, cutoff_hour integer, currency text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
  old org.store;
begin
  -- Both must know it: PostgreSQL, which has more names than IANA, and tpv, which reads the clocks.
  if timezone is null or timezone !~ '/|^UTC$'
     or not exists (select from pg_catalog.pg_timezone_names z where z.name = timezone)
     or exists (select from tpv.terminal_check(jsonb_build_object('timezone', timezone))) then
    raise exception 'the time zone is not known' using errcode = '22023',
      hint = 'Give an IANA name such as Europe/Madrid. They are in pg_timezone_names.';
  end if;
  if org.this_node() <> register_store.node_id then
    raise exception 'this database is another node' using errcode = '22023',
      detail = format('It is node %s.', org.this_node()), hint = 'Each store has a database of its own.';
  end if;
  select * into old from org.store s where s.node_id = register_store.node_id;
  if (old.timezone, old.cutoff_hour) is distinct from (register_store.timezone, register_store.cutoff_hour::smallint)
     and old.node_id is not null
     and exists (select from wire.doc d where d.node_id = register_store.node_id) then
    raise exception 'the time zone and the cut-off hour of a store with receipts cannot be changed' using errcode = '22023';
  end if;
  insert into org.node (node_id, node_code, kind) values (register_store.node_id, register_store.node_code, 'store')
  on conflict on constraint node_pkey do update set node_code = excluded.node_code;
  insert into sync.this_node (node_id) values (register_store.node_id) on conflict do nothing;
  insert into org.store (node_id, name, timezone, cutoff_hour, currency)
  values (register_store.node_id, register_store.name, register_store.timezone, register_store.cutoff_hour,
          register_store.currency)
  on conflict on constraint store_node_id_key do update
    set name = excluded.name, timezone = excluded.timezone, cutoff_hour = excluded.cutoff_hour, currency = excluded.currency;
  if not exists (select from dat.profile p where p.node_id = register_store.node_id and p.department_code is null) then
    perform dat.save_profile(tpv.dat_legacy_profile());
  end if;
end $_$;
COMMENT ON FUNCTION org.register_store(node_id integer, node_code text, name text, timezone text, cutoff_hour integer, currency text) IS 'Makes this database a store, and gives it the legacy .dat layout if it has none. Can be repeated to correct the name.';

-- register_terminal(text, text, jsonb, integer); Type: FUNCTION; Schema: org; Owner: tpv_owner
CREATE FUNCTION org.register_terminal(code text, department_code text, declares jsonb DEFAULT '{}'::jsonb, node_id integer DEFAULT NULL::integer) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  faults text;
begin
  select string_agg(format('%s: %s', pointer, detail), '; ') into faults from tpv.terminal_check(declares);
  if faults is not null then
    raise exception 'the declaration of the terminal has faults' using errcode = '22023', detail = faults;
  end if;
  insert into org.terminal (node_id, code, department_code, declares)
  values (coalesce(register_terminal.node_id, org.this_node()), register_terminal.code,
          register_terminal.department_code, register_terminal.declares)
  on conflict on constraint terminal_node_id_code_key do update
    set department_code = excluded.department_code, declares = excluded.declares, active = true;
end $$;
COMMENT ON FUNCTION org.register_terminal(code text, department_code text, declares jsonb, node_id integer) IS 'Registers a terminal of a store (this one if no node_id is given), or changes what it declares. A faulty declaration is refused with 22023.';

-- this_node; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.this_node (
    only_one boolean DEFAULT true NOT NULL,
    node_id integer NOT NULL,
    CONSTRAINT this_node_only_one_check CHECK (only_one)
);
COMMENT ON TABLE sync.this_node IS 'Which node this database is. One row, never replicated.';
COMMENT ON COLUMN sync.this_node.only_one IS 'Keeps the table at one row.';
COMMENT ON COLUMN sync.this_node.node_id IS 'The node.';

-- this_node(); Type: FUNCTION; Schema: org; Owner: tpv_owner
CREATE FUNCTION org.this_node() RETURNS integer
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT this_node.node_id
    FROM sync.this_node;
END;
COMMENT ON FUNCTION org.this_node() IS 'Number of the node that this database is; null before a store is registered.';

-- erase(uuid, text); Type: FUNCTION; Schema: party; Owner: tpv_owner
CREATE FUNCTION party.erase(customer uuid, why text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  same uuid;
  erased bigint := 0;
begin
  perform pg_advisory_xact_lock(7631990, 1);
  if not exists (select from party.customer c where c.customer_id = erase.customer) then
    raise exception 'there is no customer with that key' using errcode = 'P0002';
  end if;
  -- A person who was registered twice is in several rows.
  for same in
    with recursive person (customer_id) as (
      select erase.customer
      union
      select other.customer_id from person p
       cross join lateral (
         select c.alias_of from party.customer c where c.customer_id = p.customer_id and c.alias_of is not null
         union all
         select c.customer_id from party.customer c where c.alias_of = p.customer_id) other (customer_id)
    )
    select c.customer_id from party.customer c join person p on p.customer_id = c.customer_id
     where c.customer_id = erase.customer or not sync.is_erased('party.customer', c.customer_id::text)
     order by 1
  loop
    perform sync.erase('party.customer', same, why);
    erased := erased + 1;
  end loop;
  return erased;
end $$;
COMMENT ON FUNCTION party.erase(customer uuid, why text) IS 'Erases a customer, with all rows that are aliases of the same one, at every node and for ever. Needs a reason that names nobody. Answers how many rows were erased.';

-- close_day(date, text); Type: FUNCTION; Schema: sales; Owner: tpv_owner
CREATE FUNCTION sales.close_day(business_date date, why text DEFAULT ''::text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$ select tpv.close_day(business_date, why) $$;
COMMENT ON FUNCTION sales.close_day(business_date date, why text) IS 'Closes a business day of this store. A receipt of that day that arrives later counts, has the flag LATE, and gets no .dat by itself.';

-- ingest_batch(text, bytea[]); Type: FUNCTION; Schema: sales; Owner: tpv_owner
CREATE FUNCTION sales.ingest_batch(terminal text, files bytea[]) RETURNS TABLE("position" integer, outcome text, receipt_id uuid, dat_folder text, dat_name text, dat bytea, code text, pointer text, detail text)
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    AS $$ select "position", outcome, receipt_id, dat_folder, dat_name, dat, code, pointer, detail
     from tpv.ingest_files(terminal, files, null) $$;
COMMENT ON FUNCTION sales.ingest_batch(terminal text, files bytea[]) IS 'Receives files of one terminal, for callers that know no file names: see sales.ingest_files.';

-- ingest_files(text, bytea[], text[]); Type: FUNCTION; Schema: sales; Owner: tpv_owner
CREATE FUNCTION sales.ingest_files(terminal text, files bytea[], names text[]) RETURNS TABLE("position" integer, outcome text, receipt_id uuid, dat_folder text, dat_name text, dat bytea, trigger_name text, first_outcome text, flags text[], code text, pointer text, detail text)
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    AS $$ select * from tpv.ingest_files(terminal, files, names) $$;
COMMENT ON FUNCTION sales.ingest_files(terminal text, files bytea[], names text[]) IS 'Receives files of one terminal: one answer for each, in their order. A fault of one file never touches another. At most 64 at a time.';

-- rebuild_projections(); Type: FUNCTION; Schema: sales; Owner: tpv_owner
CREATE FUNCTION sales.rebuild_projections() RETURNS TABLE(kind text, documents bigint, projected bigint, quarantined bigint)
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$ select * from tpv.rebuild_projections() $$;
COMMENT ON FUNCTION sales.rebuild_projections() IS 'Empties every projection and fills it again from the documents, in one transaction. Readers wait meanwhile.';

-- record_rejection(text, text, bigint, bytea, text, text, bytea); Type: FUNCTION; Schema: sales; Owner: tpv_owner
CREATE FUNCTION sales.record_rejection(terminal text, file_name text, size_bytes bigint, sha256 bytea, code text, detail text, raw bytea) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  insert into sales.rejected (terminal, file_name, size_bytes, sha256, code, detail, raw)
  values (terminal, file_name, size_bytes, sha256, code, detail, raw)
  on conflict do nothing
$$;
COMMENT ON FUNCTION sales.record_rejection(terminal text, file_name text, size_bytes bigint, sha256 bytea, code text, detail text, raw bytea) IS 'Records a file that the watcher itself refused: cut off, empty, too large. The same bytes under the same name are recorded once.';

-- release(uuid, text, text); Type: FUNCTION; Schema: sales; Owner: tpv_owner
CREATE FUNCTION sales.release(receipt_id uuid, why text, file_name text DEFAULT NULL::text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$ select tpv.release_receipt(receipt_id, why, file_name) $$;
COMMENT ON FUNCTION sales.release(receipt_id uuid, why text, file_name text) IS 'Releases a held receipt: it counts, and its .dat is published. file_name replaces a name that is taken.';

-- void(uuid, text); Type: FUNCTION; Schema: sales; Owner: tpv_owner
CREATE FUNCTION sales.void(receipt_id uuid, why text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$ select tpv.void_receipt(receipt_id, why) $$;
COMMENT ON FUNCTION sales.void(receipt_id uuid, why text) IS 'Voids a receipt: it does not count, and its .dat is withdrawn. Nothing undoes it; a void beats a release.';

-- accept_drift(bigint, text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.accept_drift(drift_id bigint, why text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  accepted sync.drift;
begin
  update sync.drift d
     set resolved_at = clock_timestamp(), detail = d.detail || format(' (accepted by %s: %s)', session_user, accept_drift.why)
   where d.drift_id = accept_drift.drift_id and d.resolved_at is null
  returning * into accepted;
  if not found then
    raise exception 'there is no open difference with that number'
      using errcode = 'P0002', hint = 'Open differences are in sync.drift, where resolved_at is null.';
  end if;
  if accepted.what = 'operations' then
    insert into sync.horizon as h (node_id, seq) values (accepted.subject::integer, accepted.to_seq)
    on conflict (node_id) do update set seq = greatest(h.seq, excluded.seq);
  else
    insert into sync.verified as v (node_id, chain, chain_seq, hash)
    select p.node_id, c.key, (c.value ->> 0)::bigint, decode(c.value ->> 1, 'hex')
      from sync.peer p cross join json_each(p.chains::json) c
     where p.node_id = accepted.node_id and c.key = accepted.subject
    on conflict (node_id, chain) do update
      set chain_seq = excluded.chain_seq, hash = excluded.hash, verified_at = clock_timestamp();
  end if;
  insert into sec.audit (event, subject, detail)
  values ('DRIFT_ACCEPTED', format('node %s, %s %s', accepted.node_id, accepted.what, accepted.subject), accept_drift.why);
end $$;
COMMENT ON FUNCTION sync.accept_drift(drift_id bigint, why text) IS 'Accepts a difference that somebody has looked at: comparing continues after it, and verified_until moves on.';

-- add_peer(integer, text, text, text, integer); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.add_peer(node_id integer, node_code text, kind text, extension text DEFAULT NULL::text, schema integer DEFAULT NULL::integer) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  known org.node;
  extension_here text := (select e.extversion from pg_extension e where e.extname = 'pg_tpv');
  schema_here integer := sync.schema_version();
begin
  if org.this_node() is null then
    raise exception 'this database is no node yet'
      using errcode = '55000', hint = 'Register it with org.register_store or org.register_central.';
  end if;
  if add_peer.extension <> extension_here or add_peer.schema <> schema_here then
    raise exception 'the two nodes are of different versions' using errcode = '55000',
      detail = format('Here are pg_tpv %s and schema %s, there pg_tpv %s and schema %s.',
                      extension_here, schema_here, add_peer.extension, add_peer.schema),
      hint = 'A store joins with the versions that central has (alter extension pg_tpv update, then tpv-migrate run). '
             'Later they may differ by one.';
  end if;
  select * into known from org.node n where n.node_id = add_peer.node_id;
  if known.node_code <> add_peer.node_code or known.kind <> add_peer.kind then
    raise exception 'node % is taken', add_peer.node_id using errcode = '22023',
      detail = format('It is %s, %s.', known.node_code, known.kind), hint = 'Each node has a number of its own.';
  end if;
  if exists (select from org.node n where n.node_code = add_peer.node_code and n.node_id <> add_peer.node_id) then
    raise exception 'the name % belongs to another node', add_peer.node_code
      using errcode = '22023', hint = 'Each node has a name of its own.';
  end if;
  if add_peer.kind = 'central' and exists (
    select from sync.peer p join org.node n on n.node_id = p.node_id
     where n.kind = 'central' and n.node_id <> add_peer.node_id) then
    raise exception 'this store belongs to another chain'
      using errcode = '22023', hint = 'Leave that chain first, with sync.leave_plan.';
  end if;
  if exists (select from org.node n where n.node_id = org.this_node() and n.kind = add_peer.kind) then
    raise exception 'two nodes of the kind % do not exchange rows', add_peer.kind using errcode = '22023',
      hint = 'A chain has one central, and stores that are its peers.';
  end if;
  insert into org.node (node_id, node_code, kind) values (add_peer.node_id, add_peer.node_code, add_peer.kind)
  on conflict do nothing;
  insert into sync.peer (node_id, subscription_name)
  values (add_peer.node_id,
          case kind when 'central' then 'tpv_from_central' else 'tpv_from_' || sync.name_part(add_peer.node_code) end)
  on conflict on constraint peer_pkey do nothing;
end $$;
COMMENT ON FUNCTION sync.add_peer(node_id integer, node_code text, kind text, extension text, schema integer) IS 'Makes a node known as a peer, or refuses it: another version, a taken number or name, another chain.';

-- op_counter; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.op_counter (
    node_id integer NOT NULL,
    last_seq bigint NOT NULL
);
COMMENT ON TABLE sync.op_counter IS 'The last number of this node''s operations. The row is locked from an operation to its commit, so that the order of numbers is the order of commits.';
COMMENT ON COLUMN sync.op_counter.node_id IS 'This node.';
COMMENT ON COLUMN sync.op_counter.last_seq IS 'The last number given.';

-- advance_op_counter(bigint); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.advance_op_counter(seq bigint) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 INSERT INTO sync.op_counter AS c (node_id, last_seq)
   VALUES (org.this_node(), advance_op_counter.seq) ON CONFLICT(node_id) DO UPDATE SET last_seq = excluded.last_seq
   WHERE (c.last_seq < excluded.last_seq);
END;
COMMENT ON FUNCTION sync.advance_op_counter(seq bigint) IS 'Moves the counter of this node''s operations forward, never back: the numbers up to this one were given before a restore.';

-- op; Type: TABLE; Schema: wire; Owner: tpv_owner
CREATE TABLE wire.op (
    node_id integer NOT NULL,
    seq bigint NOT NULL,
    hlc bigint NOT NULL,
    table_name text NOT NULL,
    key text NOT NULL,
    patch text NOT NULL,
    base text NOT NULL
)
PARTITION BY RANGE (seq);
COMMENT ON TABLE wire.op IS 'Decisions as operations: which node changed which columns of which row, and which versions it had seen.';
COMMENT ON COLUMN wire.op.node_id IS 'The node that decided.';
COMMENT ON COLUMN wire.op.seq IS 'Counts that node''s operations in commit order, without gaps.';
COMMENT ON COLUMN wire.op.hlc IS 'When, as in wire.doc. It orders only operations that were concurrent.';
COMMENT ON COLUMN wire.op.table_name IS 'The table, such as party.customer.';
COMMENT ON COLUMN wire.op.key IS 'The key of the row, as text.';
COMMENT ON COLUMN wire.op.patch IS 'Canonical JSON: the columns and groups that changed, with their values. @exists says whether the row exists.';
COMMENT ON COLUMN wire.op.base IS 'Canonical JSON: for each of them the versions [node, seq] that the writer saw.';

-- blank_operation(integer, bigint, text, text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.blank_operation(node_id integer, seq bigint, patch text, base text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 UPDATE wire.op AS o SET patch = blank_operation.patch, base = blank_operation.base
   WHERE ((o.node_id = blank_operation.node_id) AND (o.seq = blank_operation.seq));
END;
COMMENT ON FUNCTION sync.blank_operation(node_id integer, seq bigint, patch text, base text) IS 'Takes the values out of an operation. The trigger of wire.op refuses it, except while the extension erases a row, and then everything but this.';

-- blank_records(text, text, boolean); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.blank_records(table_name text, key text, is_new boolean) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  -- Only what was erased: whoever may call this may call it for any row.
  if not sync.is_erased(table_name, key) then
    return;
  end if;
  delete from sync.sibling s
   where s.table_name = blank_records.table_name and s.key = blank_records.key and s.column_name not like '@%';
  -- Its row needs nothing more than this node has. What cannot be read still has to be.
  update sync.quarantine q
     set detail = 'The row was erased.',
         resolved_at = case when q.code like 'OPERATION%' then q.resolved_at else coalesce(q.resolved_at, clock_timestamp()) end
   where q.kind = blank_records.table_name and q.key = blank_records.key and q.detail <> 'The row was erased.';
  -- Copies of what was not stored. The second kind has whole parts of snapshots, or many operations.
  update sync.quarantine q
     set refused = q.refused - 'patch' - 'base'
   where q.kind = blank_records.table_name and q.refused ->> 'key' = blank_records.key and q.refused ? 'patch';
  update sync.quarantine q
     set refused = q.refused - 'body'
   where q.kind like 'resend %' and strpos(q.refused ->> 'body', blank_records.key) > 0;
  update sync.resolution r
     set value = 'null', column_name = substring(r.column_name from '^[^/+]*')
   where r.table_name = blank_records.table_name and r.key = blank_records.key
     and (r.value <> 'null' or r.column_name ~ '[/+]');
  update sync.loosening l
     set value = null, why = 'The row was erased.'
   where l.table_name = blank_records.table_name and l.key::text = blank_records.key and l.why <> 'The row was erased.';
  if is_new then
    insert into sec.audit (event, subject, detail)
    values ('ERASED', format('%s %s', blank_records.table_name, blank_records.key), 'the values of the row were erased at this node');
  end if;
end $$;
COMMENT ON FUNCTION sync.blank_records(table_name text, key text, is_new boolean) IS 'Takes the values of an erased row out of conflicts, quarantine, resolutions and loosenings. What is new to this node is a security event.';

-- canonical_key(text, uuid); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.canonical_key(table_name text, key uuid) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$ select tpv.canonical_key(table_name, key::text)::uuid $$;
COMMENT ON FUNCTION sync.canonical_key(table_name text, key uuid) IS 'The key of the row that this one is an alias of, directly or by way of other aliases; its own key if it is no alias.';

-- capture(); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.capture() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
begin
  perform tpv.capture_change(tg_table_schema || '.' || tg_table_name,
                             case when tg_op = 'UPDATE' then to_jsonb(old) end, to_jsonb(new));
  return null;
end $$;
COMMENT ON FUNCTION sync.capture() IS 'Turns a change of a tracked row into an operation, at the end of the transaction.';

-- capture_erasure(); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.capture_erasure() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform tpv.erase(new.table_name, new.key);
  return null;
end $$;
COMMENT ON FUNCTION sync.capture_erasure() IS 'Writes the operation of an erasure, at the end of the transaction like every other.';

-- capture_resolution(); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.capture_resolution() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform tpv.decide(new.table_name, new.key, new.column_name, new.value);
  return null;
end $$;
COMMENT ON FUNCTION sync.capture_resolution() IS 'Writes the operation of a resolution, at the end of the transaction like every other.';

-- tracked_table; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.tracked_table (
    table_name text NOT NULL,
    key_column text NOT NULL,
    writer text NOT NULL,
    groups jsonb DEFAULT '{}'::jsonb NOT NULL,
    owner_column text,
    duplicates jsonb DEFAULT '{}'::jsonb NOT NULL,
    only_stricter jsonb DEFAULT '{}'::jsonb NOT NULL,
    sets jsonb DEFAULT '{}'::jsonb NOT NULL,
    tracked_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT tracked_table_writer_check CHECK ((writer = ANY (ARRAY['any'::text, 'central'::text])))
);
COMMENT ON TABLE sync.tracked_table IS 'The tables whose rows the chain shares.';
COMMENT ON COLUMN sync.tracked_table.table_name IS 'The table.';
COMMENT ON COLUMN sync.tracked_table.key_column IS 'Its key, a uuid generated where the row was made.';
COMMENT ON COLUMN sync.tracked_table.writer IS 'any: every node may write. central: a store that has joined may not.';
COMMENT ON COLUMN sync.tracked_table.groups IS 'Columns that belong together, by the name of their group: {"address": ["street", "city"]}.';
COMMENT ON COLUMN sync.tracked_table.owner_column IS 'The column with the node_id of the owner of a row, for the policy owner_wins. It is set on insert and does not change.';
COMMENT ON COLUMN sync.tracked_table.duplicates IS 'Columns whose values no two rows share, by the name of the rule: {"email": ["email"]}. A session is refused a second row; two rows of two nodes are in sync.duplicate.';
COMMENT ON COLUMN sync.tracked_table.only_stricter IS 'Columns that only grow stricter, with their scales from the strictest value: {"consent": ["none", "email", "all"]}. Only sync.loosen makes them looser.';
COMMENT ON COLUMN sync.tracked_table.sets IS 'Columns that are sets, and how they change: {"tags": "union"}, or grow_only. Each element is merged by itself.';
COMMENT ON COLUMN sync.tracked_table.tracked_at IS 'When it was first tracked.';

-- check_alias(sync.tracked_table, uuid, jsonb, jsonb); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.check_alias(tracked sync.tracked_table, key uuid, before jsonb, image jsonb) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
  known boolean;
begin
  if image -> 'alias_of' = 'null' or image -> 'alias_of' = before -> 'alias_of' then
    return;
  end if;
  if image ->> 'alias_of' = key::text then
    raise exception 'a row cannot be an alias of itself'
      using errcode = '22023', hint = 'In a row that is no alias, alias_of is null.';
  end if;
  execute format('select exists (select from %s t where t.%I = $1)', tracked.table_name, tracked.key_column)
    into known using (image ->> 'alias_of')::uuid;
  if not known then
    raise exception 'there is no row of % with the key in alias_of', tracked.table_name using errcode = '22023';
  end if;
end $_$;
COMMENT ON FUNCTION sync.check_alias(tracked sync.tracked_table, key uuid, before jsonb, image jsonb) IS 'Refuses an alias of itself, or of a row that is not there.';

-- check_duplicate(sync.tracked_table, uuid, jsonb, jsonb); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.check_duplicate(tracked sync.tracked_table, key uuid, before jsonb, image jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
  same record;
  other uuid;
begin
  if image -> 'deleted' = 'true' or image -> 'alias_of' <> 'null' then
    return;
  end if;
  for same in
    select d.key as kind, c.columns, sync.shared(image, c.columns) as shared
      from jsonb_each(tracked.duplicates) d
      cross join lateral (select array_agg(x order by x) as columns from jsonb_array_elements_text(d.value) x) c
  loop
    continue when same.shared is null
      -- A row that was a duplicate before is not refused now: whoever takes an alias back has to
      -- see both rows.
      or (sync.shared(before, same.columns) = same.shared and before -> 'deleted' = 'false');
    -- Two sessions that write the same values at the same time do not see each other.
    perform pg_advisory_xact_lock(hashtextextended(format('%s %s %s', tracked.table_name, same.kind, same.shared), 0));
    execute format('select t.%1$I from %2$s t where %3$s and t.%1$I <> $2 and not t.deleted and t.alias_of is null limit 1',
                   tracked.key_column, tracked.table_name,
                   (select string_agg(format('lower(t.%I::text) = lower($1 ->> %L)', c, c), ' and ')
                      from unnest(same.columns) c))
      into other using image, key;
    if other is not null then
      raise exception 'there is a row of % with this % already', tracked.table_name, array_to_string(same.columns, ', ')
        using errcode = '23505', detail = format('Its key is %s.', other),
          hint = format('Use row %s, or change it first.', other);
    end if;
  end loop;
end $_$;
COMMENT ON FUNCTION sync.check_duplicate(tracked sync.tracked_table, key uuid, before jsonb, image jsonb) IS 'Refuses a second row with values that no two rows may share.';

-- check_policy(); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.check_policy() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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
COMMENT ON FUNCTION sync.check_policy() IS 'Refuses a policy that cannot be applied, and one that is written in a store.';

-- check_row(); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.check_row() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
declare
  tracked sync.tracked_table;
  image jsonb := to_jsonb(new);
  before jsonb := case when tg_op = 'UPDATE' then to_jsonb(old) end;
  own_key uuid;
begin
  select * into tracked from sync.tracked_table e where e.table_name = tg_table_schema || '.' || tg_table_name;
  own_key := (image ->> tracked.key_column)::uuid;
  if tg_op = 'INSERT' and image -> tracked.owner_column = 'null' then
    new := jsonb_populate_record(new, jsonb_build_object(tracked.owner_column, org.this_node()));
  elsif tg_op = 'UPDATE' and image -> tracked.owner_column is distinct from before -> tracked.owner_column then
    raise exception 'the owner of a row of % cannot change', tracked.table_name
      using errcode = '22023', detail = format('Column %s names the owner.', tracked.owner_column);
  end if;
  -- An erased row is deleted. So only of a deleted one it is asked.
  if before -> 'deleted' = 'true' and sync.is_erased(tracked.table_name, own_key::text) then
    raise exception 'that row of % was erased', tracked.table_name using errcode = '55000', hint = 'Make a new one.';
  end if;
  if tracked.sets <> '{}' then
    new := jsonb_populate_record(new, sync.check_sets(tracked, before, image));
  end if;
  perform sync.check_stricter(tracked, own_key, before, image);
  if tracked.duplicates <> '{}' then
    perform sync.check_alias(tracked, own_key, before, image);
    perform sync.check_duplicate(tracked, own_key, before, image);
  end if;
  return new;
end $$;
COMMENT ON FUNCTION sync.check_row() IS 'Sets the owner of a new row; refuses another owner, a looser value, an alias of no row, a duplicate, what is no set, a change of an erased row.';

-- check_sets(sync.tracked_table, jsonb, jsonb); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.check_sets(tracked sync.tracked_table, before jsonb, image jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  a_set record;
  written jsonb;
  checked jsonb := '{}';
begin
  for a_set in select s.key as column_name, s.value #>> '{}' as rule from jsonb_each(tracked.sets) s loop
    written := image -> a_set.column_name;
    continue when written is null or written = 'null';
    checked := checked || jsonb_build_object(a_set.column_name, tpv.as_set(written));
    if a_set.rule = 'grow_only' and not (checked -> a_set.column_name) @> (before -> a_set.column_name) then
      raise exception '% of % only gains elements', a_set.column_name, tracked.table_name
        using errcode = '23514', hint = 'Write all elements that are there, and the new ones.';
    end if;
  end loop;
  return checked;
end $$;
COMMENT ON FUNCTION sync.check_sets(tracked sync.tracked_table, before jsonb, image jsonb) IS 'The sets of a row in their one form: sorted, each element once. Refuses what is no set, and that an element is taken from one that only grows.';

-- check_stricter(sync.tracked_table, uuid, jsonb, jsonb); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.check_stricter(tracked sync.tracked_table, key uuid, before jsonb, image jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  scale record;
begin
  for scale in select s.key as column_name, s.value as steps from jsonb_each(tracked.only_stricter) s loop
    if sync.is_looser(scale.steps, before -> scale.column_name, image -> scale.column_name)
       and not exists (
         select from sync.loosening l
          where l.xact = pg_current_xact_id_if_assigned() and l.table_name = tracked.table_name and l.key = check_stricter.key
            and l.column_name = scale.column_name and l.value is not distinct from image ->> scale.column_name) then
      raise exception '% of % only grows stricter', scale.column_name, tracked.table_name
        using errcode = '23514', detail = format('From the strictest: %s.', scale.steps),
          hint = format('Give a reason with sync.loosen(%L, %L, %L, value, why).',
                        tracked.table_name, key, scale.column_name);
    end if;
  end loop;
end $$;
COMMENT ON FUNCTION sync.check_stricter(tracked sync.tracked_table, key uuid, before jsonb, image jsonb) IS 'Refuses a value that is looser than the one before.';

-- check_table(regclass, jsonb); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.check_table(relation regclass, rules jsonb) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  described jsonb := sync.describe_table(relation);
  faults integer;
  state text;
  what text;
  detail text;
  hint text;
begin
  select count(*), max(f.state), string_agg(f.what, '; ' order by nth),
         string_agg(concat_ws(': ', f.code, nullif(f.detail, '')), e'\n' order by nth), string_agg(f.hint, e'\n' order by nth)
    into faults, state, what, detail, hint
    from tpv.table_check(described, rules) with ordinality as f (code, state, what, detail, hint, nth);
  if faults > 0 then
    raise exception using message = what, errcode = state, detail = detail, hint = hint;
  end if;
  return described ->> 'key';
end $$;
COMMENT ON FUNCTION sync.check_table(relation regclass, rules jsonb) IS 'Refuses a table that cannot be tracked, or not by these rules, with all reasons at once; returns the column of its key.';

-- horizon; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.horizon (
    node_id integer NOT NULL,
    seq bigint NOT NULL
);
COMMENT ON TABLE sync.horizon IS 'For each node the number up to which its operations are part of the rows here: they are in wire.op, or came in a snapshot.';
COMMENT ON COLUMN sync.horizon.node_id IS 'The node that decided.';
COMMENT ON COLUMN sync.horizon.seq IS 'The number. An operation that arrives with this number or a lower one is a repeat.';

-- contiguous(); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.contiguous() RETURNS TABLE(node_id integer, seq bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 WITH RECURSIVE writer AS (
          SELECT min(o.node_id) AS node_id
            FROM wire.op o
         UNION ALL
          SELECT ( SELECT min(o.node_id) AS min
                    FROM wire.op o
                   WHERE (o.node_id > w.node_id)) AS min
            FROM writer w
           WHERE (w.node_id IS NOT NULL)
         )
  SELECT n.node_id,
     (n.seq + ( SELECT count(*) AS count
            FROM ( SELECT o.seq,
                     row_number() OVER (ORDER BY o.seq) AS place
                    FROM wire.op o
                   WHERE ((o.node_id = n.node_id) AND (o.seq > n.seq))) beyond
           WHERE (beyond.seq = (n.seq + beyond.place))))
    FROM ( SELECT COALESCE(w.node_id, h.node_id) AS node_id,
             COALESCE(h.seq, (0)::bigint) AS seq
            FROM (writer w
              FULL JOIN sync.horizon h ON ((h.node_id = w.node_id)))) n
   WHERE (n.node_id IS NOT NULL);
END;
COMMENT ON FUNCTION sync.contiguous() IS 'For each node the number up to which its operations are here without a gap.';

-- describe_table(regclass); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.describe_table(relation regclass) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT jsonb_build_object('name', ((c.oid)::regclass)::text, 'schema', ((c.relnamespace)::regnamespace)::text, 'ordinary', ((c.relkind = 'r'::"char") AND (c.relpersistence = 'p'::"char")), 'owner', ((c.relowner)::regrole)::text, 'key', ( SELECT a.attname
            FROM (pg_index i
              JOIN pg_attribute a ON (((a.attrelid = i.indrelid) AND (a.attnum = i.indkey[0]))))
           WHERE ((i.indrelid = c.oid) AND i.indisprimary AND (i.indnkeyatts = 1) AND (a.atttypid = ('uuid'::regtype)::oid))), 'columns', ( SELECT COALESCE(jsonb_agg(jsonb_build_object('name', a.attname, 'type', ((a.atttypid)::regtype)::text, 'not_null', a.attnotnull, 'has_default', a.atthasdef) ORDER BY a.attnum), '[]'::jsonb) AS "coalesce"
            FROM pg_attribute a
           WHERE ((a.attrelid = c.oid) AND (a.attnum > 0) AND (NOT a.attisdropped))), 'checks', ( SELECT COALESCE(jsonb_agg(jsonb_build_object('name', k.conname, 'columns', ( SELECT jsonb_agg(a.attname ORDER BY a.attnum) AS jsonb_agg
                    FROM pg_attribute a
                   WHERE ((a.attrelid = c.oid) AND (a.attnum = ANY (k.conkey))))) ORDER BY k.conname), '[]'::jsonb) AS "coalesce"
            FROM pg_constraint k
           WHERE ((k.conrelid = c.oid) AND (k.contype = 'c'::"char") AND (cardinality(k.conkey) > 1))), 'other_keys', ( SELECT COALESCE(jsonb_agg(o.name ORDER BY o.name), '[]'::jsonb) AS "coalesce"
            FROM ( SELECT k.conname AS name
                    FROM pg_constraint k
                   WHERE ((k.conrelid = c.oid) AND (k.contype = ANY (ARRAY['x'::"char", 'f'::"char"])))
                 UNION
                  SELECT ((i.indexrelid)::regclass)::text AS indexrelid
                    FROM pg_index i
                   WHERE ((i.indrelid = c.oid) AND i.indisunique AND (NOT i.indisprimary))) o)) AS jsonb_build_object
    FROM pg_class c
   WHERE (c.oid = (describe_table.relation)::oid);
END;
COMMENT ON FUNCTION sync.describe_table(relation regclass) IS 'What tpv.table_check has to know of a table; null when there is none.';

-- dismiss(bigint, text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.dismiss(quarantine_id bigint, why text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  update sync.quarantine q
     set resolved_at = clock_timestamp(), detail = q.detail || format(' (dismissed by %s: %s)', session_user, why)
   where q.quarantine_id = dismiss.quarantine_id and q.resolved_at is null
$$;
COMMENT ON FUNCTION sync.dismiss(quarantine_id bigint, why text) IS 'Takes a row off the list although it was not applied. What it holds stays in the wire tables.';

-- drop_slot_statement(text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.drop_slot_statement(slot text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
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
$_$;
COMMENT ON FUNCTION sync.drop_slot_statement(slot text) IS 'The statement of a plan that drops a slot, if it is there.';

-- duplicates(); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.duplicates() RETURNS TABLE(table_name text, kind text, keys uuid[], shared jsonb)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  same record;
begin
  for same in
    select e.table_name, e.key_column, d.key as kind, array_agg(c order by c) as columns
      from sync.tracked_table e cross join jsonb_each(e.duplicates) d cross join jsonb_array_elements_text(d.value) c
     where to_regclass(e.table_name) is not null
     group by e.table_name, e.key_column, d.key order by e.table_name, d.key
  loop
    return query execute format(
      'select %L, %L, array_agg(t.%I order by t.%I), jsonb_build_object(%s) from %s t '
      'where not t.deleted and t.alias_of is null and %s group by %s having count(*) > 1 order by 3',
      same.table_name, same.kind, same.key_column, same.key_column,
      (select string_agg(format('%L, lower(t.%I::text)', c, c), ', ' order by c) from unnest(same.columns) c), same.table_name,
      (select string_agg(format('t.%I is not null', c), ' and ') from unnest(same.columns) c),
      (select string_agg(format('lower(t.%I::text)', c), ', ' order by c) from unnest(same.columns) c));
  end loop;
end $$;
COMMENT ON FUNCTION sync.duplicates() IS 'The rows of sync.duplicate.';

-- erase(text, uuid, text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.erase(table_name text, key uuid, why text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $_$
declare
  tracked sync.tracked_table;
  image jsonb;
  repeated text;
begin
  -- Alone among merges, and before any row is locked: see tpv.empty_row.
  perform pg_advisory_xact_lock(7631990, 1);
  select * into tracked from sync.tracked_table e where e.table_name = erase.table_name;
  if tracked.table_name is null then
    raise exception 'that table is not tracked' using errcode = '22023';
  end if;
  if tracked.writer = 'central' and sync.is_joined_store() then
    raise exception '% is decided by central', table_name
      using errcode = '42501', hint = 'Erase the row at central.';
  end if;
  if coalesce(why, '') = '' then
    raise exception 'a reason is required' using errcode = '22023', hint = 'Name the request, such as its number, and not the person.';
  end if;
  execute format('select to_jsonb(t) from %s t where t.%I = $1', tracked.table_name, tracked.key_column) into image using key;
  -- The reason stays. Short values, and the words of a scale, stand in sentences by chance.
  select c.key into repeated
    from jsonb_each(image - tracked.key_column) c
    cross join lateral jsonb_path_query(c.value, 'strict $.**') v
   where jsonb_typeof(v) = 'string' and length(v #>> '{}') > 3 and not tracked.only_stricter ? c.key
     and strpos(lower(why), lower(v #>> '{}')) > 0
   limit 1;
  if repeated is not null then
    raise exception 'the reason repeats a value that is to be erased' using errcode = '22023',
      detail = format('Column %s holds it.', repeated), hint = 'Name the request, such as its number, and not the person.';
  end if;
  perform tpv.empty_row(table_name, key::text);
  insert into sync.erasure (table_name, key, why) values (table_name, key::text, why);
end $_$;
COMMENT ON FUNCTION sync.erase(table_name text, key uuid, why text) IS 'Takes every value out of a row, at every node and for ever. Number and time of what was written stay. sync.erasure keeps the reason, and who did it.';

-- peer; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.peer (
    node_id integer NOT NULL,
    subscription_name text NOT NULL,
    added_at timestamp with time zone DEFAULT now() NOT NULL,
    beat bigint,
    beat_at timestamp with time zone,
    low_water timestamp with time zone,
    gap_beat bigint,
    received_until timestamp with time zone,
    verified_until timestamp with time zone,
    verified_at timestamp with time zone,
    ops text DEFAULT '{}'::text NOT NULL,
    chains text DEFAULT '{}'::text NOT NULL,
    version text,
    ahead_ms bigint DEFAULT 0 NOT NULL
);
COMMENT ON TABLE sync.peer IS 'The nodes that this one exchanges rows with, and how much of theirs is here.';
COMMENT ON COLUMN sync.peer.node_id IS 'The peer.';
COMMENT ON COLUMN sync.peer.subscription_name IS 'The subscription that its rows arrive by.';
COMMENT ON COLUMN sync.peer.added_at IS 'When it was added.';
COMMENT ON COLUMN sync.peer.beat IS 'Number of its last heartbeat.';
COMMENT ON COLUMN sync.peer.beat_at IS 'When that heartbeat arrived.';
COMMENT ON COLUMN sync.peer.low_water IS 'The low-water mark of that heartbeat: nothing that was recorded before this moment can still commit there.';
COMMENT ON COLUMN sync.peer.gap_beat IS 'A heartbeat before this number is missing, so rows may be missing too. Null once this was compared and all are here.';
COMMENT ON COLUMN sync.peer.received_until IS 'Everything that the peer recorded before this moment is here.';
COMMENT ON COLUMN sync.peer.verified_until IS 'Everything that the peer recorded before this moment is here, and was compared: its hash chains link up to the heads that it named, and its operations have no gap.';
COMMENT ON COLUMN sync.peer.verified_at IS 'When that was compared last.';
COMMENT ON COLUMN sync.peer.ops IS 'JSON, at its last heartbeat: for each node the number up to which the peer had its operations.';
COMMENT ON COLUMN sync.peer.chains IS 'JSON, at its last heartbeat: the head of each of its hash chains as [chain_seq, hash, hlc].';
COMMENT ON COLUMN sync.peer.version IS 'Version of its extension.';
COMMENT ON COLUMN sync.peer.ahead_ms IS 'By how much its clock was ahead of ours at its last heartbeat, where that was too much to follow.';

-- verified; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.verified (
    node_id integer NOT NULL,
    chain text NOT NULL,
    chain_seq bigint NOT NULL,
    hash bytea NOT NULL,
    verified_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
COMMENT ON TABLE sync.verified IS 'How far the hash chains of peers were followed here, link by link.';
COMMENT ON COLUMN sync.verified.node_id IS 'The peer.';
COMMENT ON COLUMN sync.verified.chain IS 'Its hash chain.';
COMMENT ON COLUMN sync.verified.chain_seq IS 'The last document that links.';
COMMENT ON COLUMN sync.verified.hash IS 'Its link hash.';
COMMENT ON COLUMN sync.verified.verified_at IS 'When.';

-- doc; Type: TABLE; Schema: wire; Owner: tpv_owner
CREATE TABLE wire.doc (
    node_id integer NOT NULL,
    doc_id uuid NOT NULL,
    business_date date NOT NULL,
    kind text NOT NULL,
    to_node integer,
    hlc bigint NOT NULL,
    schema_version integer NOT NULL,
    chain text NOT NULL,
    chain_seq bigint NOT NULL,
    prev_hash bytea NOT NULL,
    body text NOT NULL,
    content_hash bytea NOT NULL
)
PARTITION BY RANGE (business_date);
COMMENT ON TABLE wire.doc IS 'Facts as documents: receipts, voids, releases, closings. Each is written once by one node and never changed.';
COMMENT ON COLUMN wire.doc.node_id IS 'The node that recorded it.';
COMMENT ON COLUMN wire.doc.doc_id IS 'Identity, a uuid v8 derived from what the document is about.';
COMMENT ON COLUMN wire.doc.business_date IS 'The business day it belongs to, fixed at first acceptance.';
COMMENT ON COLUMN wire.doc.kind IS 'receipt, intake, release, void, withdraw, render or day_close.';
COMMENT ON COLUMN wire.doc.to_node IS 'The node it is addressed to; null for everybody who subscribes.';
COMMENT ON COLUMN wire.doc.hlc IS 'When it was recorded: Unix milliseconds in the upper 48 bits, a counter below.';
COMMENT ON COLUMN wire.doc.schema_version IS 'Version of the format of the body.';
COMMENT ON COLUMN wire.doc.chain IS 'The hash chain that it continues: a terminal''s, or empty for the node''s own.';
COMMENT ON COLUMN wire.doc.chain_seq IS 'Place in that hash chain, from 1, without gaps.';
COMMENT ON COLUMN wire.doc.prev_hash IS 'Link hash of the document before; 32 zero bytes at the start.';
COMMENT ON COLUMN wire.doc.body IS 'Canonical JSON text: sorted keys, plain numbers, NFC.';
COMMENT ON COLUMN wire.doc.content_hash IS 'sha256(convert_to(body, ''UTF8'')).';

-- follow_hash_chains(sync.peer); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.follow_hash_chains(of_peer sync.peer) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 WITH head AS (
          SELECT c.key AS chain,
             ((c.value ->> 0))::bigint AS head_seq,
             decode((c.value ->> 1), 'hex'::text) AS head_hash,
             COALESCE(v.chain_seq, (0)::bigint) AS from_seq,
             COALESCE(v.hash, decode(repeat('00'::text, 32), 'hex'::text)) AS from_hash
            FROM (json_each(((follow_hash_chains.of_peer).chains)::json) c(key, value)
              LEFT JOIN sync.verified v ON (((v.node_id = (follow_hash_chains.of_peer).node_id) AND (v.chain = c.key))))
         ), followed AS MATERIALIZED (
          SELECT h.chain,
             h.head_seq,
             h.head_hash,
             h.from_seq,
             f_1.seq,
             f_1.hash,
             f_1.broken
            FROM (head h
              LEFT JOIN LATERAL tpv.follow_hash_chain((follow_hash_chains.of_peer).node_id, h.chain, h.from_seq, h.from_hash, h.head_seq) f_1(seq, hash, broken) ON ((h.head_seq >= h.from_seq)))
         ), stored AS (
          INSERT INTO sync.verified AS v (node_id, chain, chain_seq, hash)  SELECT (follow_hash_chains.of_peer).node_id AS node_id,
                     f_1.chain,
                     f_1.seq,
                     f_1.hash
                    FROM followed f_1
                   WHERE (f_1.seq > f_1.from_seq) ON CONFLICT(node_id, chain) DO UPDATE SET chain_seq = excluded.chain_seq, hash = excluded.hash, verified_at = excluded.verified_at
         )
  SELECT COALESCE(jsonb_agg(jsonb_build_object('chain', f.chain, 'head_seq', f.head_seq, 'head_hash', encode(f.head_hash, 'hex'::text), 'from_seq', f.from_seq, 'followed',
         CASE
             WHEN (f.seq IS NOT NULL) THEN jsonb_build_object('seq', f.seq, 'hash', encode(f.hash, 'hex'::text), 'broken', f.broken)
             ELSE NULL::jsonb
         END, 'next_seq', ( SELECT min(d.chain_seq) AS min
            FROM wire.doc d
           WHERE ((d.node_id = (follow_hash_chains.of_peer).node_id) AND (d.chain = f.chain) AND (d.chain_seq > f.seq) AND (d.chain_seq <= f.head_seq)))) ORDER BY f.chain), '[]'::jsonb) AS "coalesce"
    FROM followed f;
END;
COMMENT ON FUNCTION sync.follow_hash_chains(of_peer sync.peer) IS 'Follows the hash chains of a peer from where they were followed before to the heads of its last heartbeat, link by link. Stores in sync.verified how far it came, and returns it.';

-- guard(); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.guard() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if tg_op in ('DELETE', 'TRUNCATE') then
    raise exception 'rows of % are never removed', tg_table_schema || '.' || tg_table_name
      using errcode = '42501', hint = 'Update the row and set deleted = true.';
  end if;
  if sync.is_joined_store() then
    raise exception '% is decided by central', tg_table_schema || '.' || tg_table_name
      using errcode = '42501', hint = 'Change it at central; it arrives here by itself.';
  end if;
  return new;
end $$;
COMMENT ON FUNCTION sync.guard() IS 'Refuses what may not be written here: removals, and in a store what central decides.';

-- head; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.head (
    table_name text NOT NULL,
    key text NOT NULL,
    heads text NOT NULL,
    waits boolean NOT NULL,
    contested boolean DEFAULT false NOT NULL
);
COMMENT ON TABLE sync.head IS 'The heads of each row: for each column the values that no later writer has seen. Usually there is one.';
COMMENT ON COLUMN sync.head.table_name IS 'The table.';
COMMENT ON COLUMN sync.head.key IS 'Its key.';
COMMENT ON COLUMN sync.head.heads IS 'JSON: column to [[node, seq, hlc, value], ...].';
COMMENT ON COLUMN sync.head.waits IS 'Whether operations are here and the one that made the row is not.';
COMMENT ON COLUMN sync.head.contested IS 'Whether a column has several heads. A policy that changes has to look at these.';

-- is_erased(text, text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.is_erased(table_name text, key text) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT (EXISTS ( SELECT
            FROM sync.head h
           WHERE ((h.table_name = is_erased.table_name) AND (h.key = is_erased.key) AND ((h.heads)::jsonb ? '@erased'::text)))) AS "exists";
END;
COMMENT ON FUNCTION sync.is_erased(table_name text, key text) IS 'Whether a row was erased, as far as this node knows.';

-- node; Type: TABLE; Schema: org; Owner: tpv_owner
CREATE TABLE org.node (
    node_id integer NOT NULL,
    node_code text NOT NULL,
    kind text NOT NULL,
    CONSTRAINT node_kind_check CHECK ((kind = ANY (ARRAY['central'::text, 'store'::text]))),
    CONSTRAINT node_node_code_check CHECK ((node_code ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,15}$'::text)),
    CONSTRAINT node_node_id_check CHECK ((node_id > 0))
);
COMMENT ON TABLE org.node IS 'The servers of the chain: central and one for each store.';
COMMENT ON COLUMN org.node.node_id IS 'Number of the node; the first part of every key.';
COMMENT ON COLUMN org.node.node_code IS 'Short name, such as S01.';
COMMENT ON COLUMN org.node.kind IS 'central or store.';

-- is_joined_store(); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.is_joined_store() RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT (EXISTS ( SELECT
            FROM (sync.peer p
              JOIN org.node n ON ((n.node_id = p.node_id)))
           WHERE (n.kind = 'central'::text))) AS "exists";
END;
COMMENT ON FUNCTION sync.is_joined_store() IS 'Whether this node is a store that has joined a chain. Central then decides for it.';

-- is_looser(jsonb, jsonb, jsonb); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.is_looser(steps jsonb, before jsonb, after jsonb) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT (COALESCE(( SELECT min(s.n) AS min
            FROM jsonb_array_elements(is_looser.steps) WITH ORDINALITY s(step, n)
           WHERE (s.step = is_looser.after)), ((jsonb_array_length(steps) + 1))::bigint) > ( SELECT min(s.n) AS min
            FROM jsonb_array_elements(is_looser.steps) WITH ORDINALITY s(step, n)
           WHERE (s.step = is_looser.before)));
END;
COMMENT ON FUNCTION sync.is_looser(steps jsonb, before jsonb, after jsonb) IS 'Whether the second value is further up the scale than the first, or off it. Null when the first is not on it.';

-- join_plan(text, integer, text, integer, text, text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.join_plan(store_code text, store_id integer, central_code text, central_id integer, store_conninfo text, central_conninfo text) RETURNS TABLE(step integer, run_on text, sql text, why text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  -- Not by sync.peer alone: a plan that was run only in part must be given again.
  if exists (
    select from sync.peer p join pg_subscription s on s.subname = p.subscription_name
     where p.node_id in (join_plan.store_id, join_plan.central_id) and s.subenabled
       and s.subdbid = (select d.oid from pg_database d where d.datname = current_database())) then
    raise exception '% has joined already', join_plan.store_code using errcode = '55000',
      hint = 'To catch up after its slot was lost, use sync.rejoin_plan; to leave, sync.leave_plan.';
  end if;
  return query
    select * from sync.join_steps(store_code, store_id, central_code, central_id, store_conninfo, central_conninfo);
end $$;
COMMENT ON FUNCTION sync.join_plan(store_code text, store_id integer, central_code text, central_id integer, store_conninfo text, central_conninfo text) IS 'The statements by which a store joins: run those of each node there, in the order of steps, each on its own. Each can be repeated. Refuses a store that has joined.';

-- join_steps(text, integer, text, integer, text, text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.join_steps(store_code text, store_id integer, central_code text, central_id integer, store_conninfo text, central_conninfo text) RETURNS TABLE(step integer, run_on text, sql text, why text)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select s.step, s.run_on, s.sql, s.why
    from (select 'tpv_to_' || sync.name_part(store_code) as down, 'tpv_from_' || sync.name_part(store_code) as up,
                 'tpv_up_' || sync.name_part(store_code) as up_slot,
                 (select e.extversion from pg_catalog.pg_extension e where e.extname = 'pg_tpv') as extension,
                 sync.schema_version() as schema) v
   cross join lateral (values
    (10, central_code, format('select sync.add_peer(%s, %L, %L, %L, %s)', store_id, store_code, 'store', extension, schema),
      'central knows the store, and that its number is free'),
    (11, central_code, sync.publish_statement(down, format('to_node = %s', store_id), format('node_id <> %s', store_id),
                                              format('node_id = %s', central_id), format('to_node = %s', store_id)),
      'what goes down: operations of all other nodes, central''s heartbeats, documents and resends for the store'),
    (12, central_code, sync.slot_statement(down), 'from here on central keeps for the store what it decides'),
    (20, store_code,
      format('select sync.add_peer(%s, %L, %L, %L, %s)', central_id, central_code, 'central', extension, schema),
      'the store knows central, and that it belongs to no other chain'),
    (21, store_code, sync.publish_statement('tpv_up', format('node_id = %s', store_id), format('node_id = %s', store_id),
                                            format('node_id = %s', store_id), format('node_id = %s', store_id)),
      'what goes up: the store''s own documents, operations, heartbeats and resends'),
    (22, store_code, sync.slot_statement(up_slot), 'from here on the store keeps for central what it records'),
    (23, store_code, sync.subscribe_statement('tpv_from_central', central_conninfo, down, down, 'any'),
      'the store subscribes to central'),
    (24, store_code, 'alter subscription tpv_from_central enable', 'and begins to receive'),
    (30, central_code, sync.subscribe_statement(up, store_conninfo, 'tpv_up', up_slot, 'none'),
      'central subscribes to the store'),
    (31, central_code, format('alter subscription %I enable', up), 'and begins to receive'),
    (32, central_code, format('select sync.send_snapshot(%s)', store_id),
      'a snapshot of all tracked rows, of one moment after the slot was made, is prepared and sent'),
    (33, central_code, format('select sync.request_all(%s)', store_id),
      'the background worker of the store sends what it recorded before')
  ) as s (step, run_on, sql, why)
  order by s.step
$$;
COMMENT ON FUNCTION sync.join_steps(store_code text, store_id integer, central_code text, central_id integer, store_conninfo text, central_conninfo text) IS 'The steps of sync.join_plan.';

-- leave_plan(text, integer, text, integer); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.leave_plan(store_code text, store_id integer, central_code text, central_id integer) RETURNS TABLE(step integer, run_on text, sql text, why text)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select s.step, s.run_on, s.sql, s.why
    from (values
    (10, store_code, sync.unsubscribe_statement('tpv_from_central'), 'the store receives no more'),
    (20, central_code, sync.unsubscribe_statement('tpv_from_' || sync.name_part(store_code)), 'central receives no more'),
    (21, central_code, sync.drop_slot_statement('tpv_to_' || sync.name_part(store_code)), 'central keeps nothing for it'),
    (22, central_code, format('drop publication if exists %I', 'tpv_to_' || sync.name_part(store_code)),
      'nothing is offered to it'),
    (23, central_code, format('select sync.remove_peer(%s)', store_id), 'central no longer waits for it'),
    (30, store_code, sync.drop_slot_statement('tpv_up_' || sync.name_part(store_code)),
      'the store keeps nothing for central'),
    (31, store_code, 'drop publication if exists tpv_up', 'and offers nothing'),
    (32, store_code, format('select sync.remove_peer(%s)', central_id), 'the store decides for itself again')
  ) as s (step, run_on, sql, why)
  order by s.step
$$;
COMMENT ON FUNCTION sync.leave_plan(store_code text, store_id integer, central_code text, central_id integer) IS 'The statements by which a store leaves: run those of each node there, in the order of steps, each on its own. Each can be repeated; rows that were exchanged stay.';

-- lock_policies(); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.lock_policies() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  -- Alone among merges: one that had read the old rule would leave a value that the change does not
  -- see.
  perform pg_advisory_xact_lock(7631990, 1);
  return null;
end $$;
COMMENT ON FUNCTION sync.lock_policies() IS 'Keeps merges from running while policies change.';

-- loosen(text, uuid, text, text, text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.loosen(table_name text, key uuid, column_name text, value text, why text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $_$
declare
  tracked sync.tracked_table;
  changed bigint;
begin
  select * into tracked from sync.tracked_table e where e.table_name = loosen.table_name;
  if not coalesce(tracked.only_stricter ? loosen.column_name, false) then
    raise exception 'that column can be updated like any other' using errcode = '22023';
  end if;
  if coalesce(why, '') = '' then
    raise exception 'a reason is required' using errcode = '22023';
  end if;
  insert into sync.loosening (table_name, key, column_name, value, why) values (table_name, key, column_name, value, why);
  execute format('update %s t set %I = $1::%s where t.%I = $2', tracked.table_name, column_name,
                 (select format_type(a.atttypid, a.atttypmod) from pg_attribute a
                   where a.attrelid = to_regclass(tracked.table_name) and a.attname = loosen.column_name), tracked.key_column)
    using value, key;
  get diagnostics changed = row_count;
  if changed = 0 then
    raise exception 'there is no row of % with that key', table_name using errcode = 'P0002';
  end if;
end $_$;
COMMENT ON FUNCTION sync.loosen(table_name text, key uuid, column_name text, value text, why text) IS 'Sets a column that only grows stricter to a looser value. sync.loosening keeps the reason, and who did it.';

-- make_alias(text, uuid, uuid); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.make_alias(table_name text, key uuid, of_key uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
  tracked sync.tracked_table;
  changed bigint;
begin
  select * into tracked from sync.tracked_table e where e.table_name = make_alias.table_name;
  if tracked.table_name is null or tracked.duplicates = '{}' then
    raise exception 'rows of that table have no aliases'
      using errcode = '22023', hint = 'Give sync.track an argument duplicates; it adds column alias_of.';
  end if;
  execute format('update %s t set alias_of = $1 where t.%I = $2', tracked.table_name, tracked.key_column) using of_key, key;
  get diagnostics changed = row_count;
  if changed = 0 then
    raise exception 'there is no row of % with that key', table_name using errcode = 'P0002';
  end if;
end $_$;
COMMENT ON FUNCTION sync.make_alias(table_name text, key uuid, of_key uuid) IS 'Makes a row an alias of the row that it duplicates; null makes it a row of its own again. The change reaches every node.';

-- mark_gap(integer); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.mark_gap(peer integer) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 UPDATE sync.peer AS p SET gap_beat = (COALESCE(p.beat, (0)::bigint) + 1)
   WHERE (p.node_id = mark_gap.peer);
END;
COMMENT ON FUNCTION sync.mark_gap(peer integer) IS 'Notes that rows of a peer may have been missed. Comparing finds which.';

-- name_part(text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.name_part(node_code text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT replace(lower(node_code), '-'::text, '_'::text) AS replace;
END;
COMMENT ON FUNCTION sync.name_part(node_code text) IS 'A node''s code as it is written in names of slots, which have no hyphen.';

-- own_hash_chains(); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.own_hash_chains() RETURNS SETOF text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 WITH RECURSIVE own(chain) AS (
          SELECT min(d.chain) AS min
            FROM wire.doc d
           WHERE (d.node_id = org.this_node())
         UNION ALL
          SELECT ( SELECT min(d.chain) AS min
                    FROM wire.doc d
                   WHERE ((d.node_id = org.this_node()) AND (d.chain > own_1.chain))) AS min
            FROM own own_1
           WHERE (own_1.chain IS NOT NULL)
         )
  SELECT own.chain
    FROM own
   WHERE (own.chain IS NOT NULL);
END;
COMMENT ON FUNCTION sync.own_hash_chains() IS 'The hash chains of the documents that this node wrote.';

-- policy_changed(); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.policy_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  -- Not by sync.sibling: values that the old policy united are no conflict on record there, and may
  -- be one now.
  perform tpv.choose_again(h.table_name, h.key, new.column_name)
     from (select i.table_name, i.key from sync.head i
            where i.table_name = new.table_name and i.contested and json_array_length(i.heads::json -> new.column_name) > 1
            order by 1, 2) h;
  return null;
end $$;
COMMENT ON FUNCTION sync.policy_changed() IS 'Chooses again among concurrent values when their policy changes.';

-- policy_dry_run(text, text, jsonb); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.policy_dry_run(table_name text, column_name text, rule jsonb) RETURNS TABLE(key text, value_now jsonb, value_then jsonb, differs boolean)
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$ select d.key, d.value_now, d.value_then, d.differs from tpv.policy_dry_run(table_name, column_name, rule) d $$;
COMMENT ON FUNCTION sync.policy_dry_run(table_name text, column_name text, rule jsonb) IS 'What a policy would choose among concurrent values, beside the present value. Changes nothing.';

-- policy_key(text, text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.policy_key(table_name text, column_name text) RETURNS uuid
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT (OVERLAY(OVERLAY(s.h PLACING '8'::text FROM 13) PLACING '8'::text FROM 17))::uuid AS "overlay"
    FROM ( SELECT substr(encode(sha256(convert_to(((policy_key.table_name || ' '::text) || policy_key.column_name), 'UTF8'::name)), 'hex'::text), 1, 32) AS substr) s(h);
END;
COMMENT ON FUNCTION sync.policy_key(table_name text, column_name text) IS 'The key of a policy. It is the same at whichever node it is made.';

-- prune_beats(); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.prune_beats() RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  with gone as (delete from wire.beat where beat < (select max(b.beat) - 1000 from wire.beat b) returning 1)
  select count(*) from gone
$$;
COMMENT ON FUNCTION sync.prune_beats() IS 'Removes old heartbeats: all but the last thousand. pg_cron calls it each hour.';

-- prune_resends(); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.prune_resends() RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  -- What is still to be sent is in the WAL. The rows are kept only for people who want to look.
  with gone as (delete from wire.resend r where tpv.hlc_time(r.hlc) < now() - interval '1 day' returning 1),
       old_snapshot as (delete from sync.snapshot l where l.completed_at < now() - interval '90 days'),
       arrived as (
         delete from sync.awaited a
          where exists (select from wire.op o where o.node_id = a.node_id and o.seq = a.seq)
             or exists (select from sync.horizon h where h.node_id = a.node_id and h.seq >= a.seq)),
       old_drift as (delete from sync.drift d where d.resolved_at < now() - interval '90 days')
  select count(*) from gone
$$;
COMMENT ON FUNCTION sync.prune_resends() IS 'Removes rows of wire.resend after a day, rows of sync.awaited whose operation has arrived, and snapshots and differences that ended more than 90 days ago. pg_cron calls it each hour.';

-- publish_statement(text, text, text, text, text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.publish_statement(publication text, docs text, ops text, beats text, resends text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  select format(
    'do $do$ begin if not exists (select from pg_publication where pubname = %1$L) then '
    'create publication %1$I for table '
    'wire.doc (node_id, doc_id, business_date, kind, to_node, hlc, schema_version, chain, chain_seq, prev_hash, body, content_hash) where (%2$s), '
    'wire.op (node_id, seq, hlc, table_name, key, patch, base) where (%3$s), '
    'wire.beat (node_id, beat, hlc, low_water, ops, chains, version) where (%4$s), '
    'wire.resend (node_id, resend_id, to_node, hlc, kind, body) where (%5$s) '
    'with (publish = ''insert'', publish_via_partition_root = true); end if; end $do$', publication, docs, ops, beats, resends)
$_$;
COMMENT ON FUNCTION sync.publish_statement(publication text, docs text, ops text, beats text, resends text) IS 'The statement of a plan that makes a publication, if it is not there.';

-- request; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.request (
    node_id integer NOT NULL,
    what text NOT NULL,
    subject text DEFAULT ''::text NOT NULL,
    from_seq bigint DEFAULT 1 NOT NULL,
    to_seq bigint,
    requested_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT request_what_check CHECK ((what = ANY (ARRAY['operations'::text, 'hash_chain'::text, 'documents'::text, 'snapshot'::text])))
);
COMMENT ON TABLE sync.request IS 'What peers have requested and this node has not sent yet. The background worker sends it.';
COMMENT ON COLUMN sync.request.node_id IS 'The peer.';
COMMENT ON COLUMN sync.request.what IS 'operations of a node, documents of a hash chain, documents addressed to the peer, or a snapshot.';
COMMENT ON COLUMN sync.request.subject IS 'The node whose operations they are, or the hash chain; * for all hash chains.';
COMMENT ON COLUMN sync.request.from_seq IS 'The next to send.';
COMMENT ON COLUMN sync.request.to_seq IS 'The last to send; null for all there are.';
COMMENT ON COLUMN sync.request.requested_at IS 'When it was requested. After an attempt that failed: when it is tried again.';

-- receive_request(integer, json); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.receive_request(peer integer, wants json) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 INSERT INTO sync.request AS r (node_id, what, subject, from_seq, to_seq)  SELECT receive_request.peer AS peer,
             w.what,
             w.subject,
             min(w.from_seq) AS min,
             NULLIF(max(COALESCE(w.to_seq, '9223372036854775807'::bigint)), '9223372036854775807'::bigint) AS "nullif"
            FROM ( SELECT w_1.what,
                     COALESCE(c.chain, w_1.subject, ''::text) AS subject,
                     COALESCE(w_1."from", (1)::bigint) AS from_seq,
                     w_1."to" AS to_seq
                    FROM (json_to_recordset(receive_request.wants) w_1(what text, subject text, "from" bigint, "to" bigint)
                      LEFT JOIN sync.own_hash_chains() c(chain) ON (((w_1.what = 'hash_chain'::text) AND (w_1.subject = '*'::text))))
                   WHERE ((w_1.what = ANY (ARRAY['documents'::text, 'snapshot'::text])) OR ((w_1.what = 'hash_chain'::text) AND ((w_1.subject IS DISTINCT FROM '*'::text) OR (c.chain IS NOT NULL))) OR ((w_1.what = 'operations'::text) AND (w_1.subject ~ '^[0-9]{1,9}$'::text)))) w
           GROUP BY w.what, w.subject ON CONFLICT(node_id, what, subject) DO UPDATE SET from_seq = LEAST(r.from_seq, excluded.from_seq), to_seq =
         CASE
             WHEN ((r.to_seq IS NULL) OR (excluded.to_seq IS NULL)) THEN NULL::bigint
             ELSE GREATEST(r.to_seq, excluded.to_seq)
         END;
END;
COMMENT ON FUNCTION sync.receive_request(peer integer, wants json) IS 'Puts the requests of a peer into sync.request.';

-- reconcile(); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.reconcile() RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  peer integer;
  open integer := 0;
begin
  if not pg_try_advisory_xact_lock(hashtextextended('sync.reconcile', 0)) then
    return null;
  end if;
  for peer in select p.node_id from sync.peer p order by 1 loop
    begin
      open := open + sync.reconcile_with(peer);
    exception when others then
      -- What one peer says must not keep this node from comparing itself with the others.
      raise warning 'node % could not be compared with: %', peer, sqlerrm;
      open := open + 1;
    end;
  end loop;
  return open;
end $$;
COMMENT ON FUNCTION sync.reconcile() IS 'Compares this node with each of its peers. Returns how many differences there are; null while another session is doing it. pg_cron calls it each minute.';

-- reconcile_with(integer); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.reconcile_with(peer integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  began timestamptz := clock_timestamp();
  of_peer sync.peer;
  is_central boolean;
  facts jsonb;
  differences integer;
  wants json;
begin
  select * into of_peer from sync.peer p where p.node_id = reconcile_with.peer and p.beat is not null;
  if not found then
    return 0;
  end if;
  select n.kind = 'central' into is_central from org.node n where n.node_id = of_peer.node_id;
  facts := jsonb_build_object(
    'this_node', org.this_node(),
    'peer', of_peer.node_id,
    'peer_is_central', is_central,
    'reported', (select coalesce(jsonb_object_agg(key::integer, value::bigint), '{}') from json_each_text(of_peer.ops::json)),
    'here', (select coalesce(jsonb_object_agg(k.node_id, k.seq), '{}') from sync.contiguous() k),
    -- Documents come from the store that wrote them.
    'chains', case when is_central then '[]' else sync.follow_hash_chains(of_peer) end,
    'open', (select coalesce(jsonb_agg(jsonb_build_object(
                      'what', d.what, 'subject', d.subject, 'from_seq', d.from_seq,
                      'waited_ms', (extract(epoch from began - d.requested_at) * 1000)::bigint)), '[]')
               from sync.drift d where d.node_id = of_peer.node_id and d.resolved_at is null));
  with found as materialized (
    select f.what, f.subject, f.from_seq, f.to_seq, f.detail, f.request from tpv.peer_differences(facts) f
  ), noted as (
    insert into sync.drift as d (node_id, what, subject, from_seq, to_seq, detail, requested_at)
    select of_peer.node_id, f.what, f.subject, f.from_seq, f.to_seq, f.detail,
           case when f.request in ('rows', 'snapshot', 'coming') then clock_timestamp() end
      from found f
    on conflict (node_id, what, subject) where resolved_at is null do update
      set from_seq = excluded.from_seq, to_seq = excluded.to_seq, detail = excluded.detail,
          requested_at = coalesce(excluded.requested_at, d.requested_at)
  ), gone as (
    update sync.drift d set resolved_at = clock_timestamp()
     where d.node_id = of_peer.node_id and d.resolved_at is null
       and not exists (select from found f where f.what = d.what and f.subject = d.subject)
  )
  select count(*),
         json_agg(case f.request
                    when 'rows'
                    then json_build_object('what', f.what, 'subject', f.subject, 'from', f.from_seq, 'to', f.to_seq)
                    else json_build_object('what', 'snapshot')
                  end) filter (where f.request in ('rows', 'snapshot'))
    into differences, wants
    from found f;
  if wants is not null then
    perform sync.request(of_peer.node_id, wants);
  end if;
  -- What is here without a gap need not be counted again.
  insert into sync.horizon as h (node_id, seq) select k.node_id, k.seq from sync.contiguous() k where k.seq > 0
  on conflict (node_id) do update set seq = excluded.seq where h.seq < excluded.seq;
  if differences = 0 then
    update sync.peer p
       set verified_until = of_peer.low_water, verified_at = clock_timestamp(),
           received_until = greatest(p.received_until, of_peer.low_water),
           gap_beat = case when p.gap_beat > of_peer.beat then p.gap_beat end
     where p.node_id = of_peer.node_id;
  end if;
  return differences;
end $$;
COMMENT ON FUNCTION sync.reconcile_with(peer integer) IS 'Compares what a peer reported in its last heartbeat with what is here (tpv.peer_differences decides), records the differences in sync.drift and requests what is missing. Returns how many differences there are.';

-- rejoin_plan(text, integer, text, integer, text, text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.rejoin_plan(store_code text, store_id integer, central_code text, central_id integer, store_conninfo text, central_conninfo text) RETURNS TABLE(step integer, run_on text, sql text, why text)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select s.step, s.run_on, s.sql, s.why
    from (values
    (1, central_code, sync.unsubscribe_statement('tpv_from_' || sync.name_part(store_code)),
      'the old stream to central ends'),
    (2, central_code, sync.drop_slot_statement('tpv_to_' || sync.name_part(store_code)),
      'the store''s slot here may be lost already'),
    (3, central_code, format('select sync.mark_gap(%s)', store_id), 'received_until waits until both were compared'),
    (4, store_code, sync.unsubscribe_statement('tpv_from_central'), 'the old stream to the store ends'),
    (5, store_code, sync.drop_slot_statement('tpv_up_' || sync.name_part(store_code)), 'central''s slot here may be lost already'),
    (6, store_code, format('select sync.mark_gap(%s)', central_id), 'received_until waits here too')
  ) as s (step, run_on, sql, why)
  union all
  select * from sync.join_steps(store_code, store_id, central_code, central_id, store_conninfo, central_conninfo)
  order by 1
$$;
COMMENT ON FUNCTION sync.rejoin_plan(store_code text, store_id integer, central_code text, central_id integer, store_conninfo text, central_conninfo text) IS 'The statements by which a store catches up after its slot was lost or it was away for too long. They are run like those of sync.join_plan. Nothing is emptied, and the store goes on selling.';

-- drift; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.drift (
    drift_id bigint NOT NULL,
    node_id integer NOT NULL,
    what text NOT NULL,
    subject text NOT NULL,
    from_seq bigint NOT NULL,
    to_seq bigint NOT NULL,
    detail text NOT NULL,
    found_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    requested_at timestamp with time zone,
    resolved_at timestamp with time zone,
    CONSTRAINT drift_what_check CHECK ((what = ANY (ARRAY['operations'::text, 'hash_chain'::text, 'broken'::text, 'restored'::text])))
);
COMMENT ON TABLE sync.drift IS 'Rows that a peer has and this node has not, and what became of them.';
COMMENT ON COLUMN sync.drift.drift_id IS 'Key.';
COMMENT ON COLUMN sync.drift.node_id IS 'The peer.';
COMMENT ON COLUMN sync.drift.what IS 'operations or hash_chain: rows are missing and are requested. broken: a hash chain does not link; a person has to look. restored: this node has lost operations of its own that the peer has; a snapshot is requested.';
COMMENT ON COLUMN sync.drift.subject IS 'The node whose operations they are, or the hash chain.';
COMMENT ON COLUMN sync.drift.from_seq IS 'The first that is missing.';
COMMENT ON COLUMN sync.drift.to_seq IS 'The last that is missing.';
COMMENT ON COLUMN sync.drift.detail IS 'A sentence.';
COMMENT ON COLUMN sync.drift.found_at IS 'When it was found.';
COMMENT ON COLUMN sync.drift.requested_at IS 'When the rows were requested last.';
COMMENT ON COLUMN sync.drift.resolved_at IS 'When they were here, or the difference was accepted; null while it is open.';

-- outgoing; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.outgoing (
    nth bigint NOT NULL,
    to_node integer NOT NULL,
    kind text NOT NULL,
    body text NOT NULL
);
COMMENT ON TABLE sync.outgoing IS 'Parts of snapshots that were prepared in one moment and are sent one by one, so that the receiver locks few rows at a time.';
COMMENT ON COLUMN sync.outgoing.nth IS 'Their order.';
COMMENT ON COLUMN sync.outgoing.to_node IS 'The receiver.';
COMMENT ON COLUMN sync.outgoing.kind IS 'As in wire.resend.';
COMMENT ON COLUMN sync.outgoing.body IS 'As in wire.resend.';

-- snapshot; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.snapshot (
    snapshot_id uuid NOT NULL,
    node_id integer NOT NULL,
    covers text DEFAULT '{"vector":{}}'::text NOT NULL,
    parts integer DEFAULT 0 NOT NULL,
    digest numeric(40,0) DEFAULT 0 NOT NULL,
    expected_parts integer,
    expected_digest numeric(40,0),
    started_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    completed_at timestamp with time zone
);
COMMENT ON TABLE sync.snapshot IS 'Snapshots that arrive or arrived here, and whether they are complete.';
COMMENT ON COLUMN sync.snapshot.snapshot_id IS 'The snapshot.';
COMMENT ON COLUMN sync.snapshot.node_id IS 'The node that sent it.';
COMMENT ON COLUMN sync.snapshot.covers IS 'The operations that it covers: {"vector": {"node": seq}, "beyond": [[node, from, to]]}.';
COMMENT ON COLUMN sync.snapshot.parts IS 'How many parts have arrived.';
COMMENT ON COLUMN sync.snapshot.digest IS 'The sum of their hashes.';
COMMENT ON COLUMN sync.snapshot.expected_parts IS 'How many parts there are; known when its end has arrived.';
COMMENT ON COLUMN sync.snapshot.expected_digest IS 'The sum of the hashes of all parts.';
COMMENT ON COLUMN sync.snapshot.started_at IS 'When the first part arrived.';
COMMENT ON COLUMN sync.snapshot.completed_at IS 'When all parts had arrived and the sums agreed.';

-- snapshot_row; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.snapshot_row (
    snapshot_id uuid NOT NULL,
    table_name text NOT NULL,
    key text NOT NULL
);
COMMENT ON TABLE sync.snapshot_row IS 'Rows of snapshots that are not complete: an operation on one of them that the snapshot covers may still arrive, and is late.';
COMMENT ON COLUMN sync.snapshot_row.snapshot_id IS 'The snapshot.';
COMMENT ON COLUMN sync.snapshot_row.table_name IS 'The table.';
COMMENT ON COLUMN sync.snapshot_row.key IS 'The key.';

-- remove_peer(integer); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.remove_peer(node_id integer) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 DELETE FROM sync.request AS r
   WHERE (r.node_id = remove_peer.node_id);
 DELETE FROM sync.outgoing AS o
   WHERE (o.to_node = remove_peer.node_id);
 UPDATE sync.drift AS d SET resolved_at = clock_timestamp(), detail = (d.detail || ' (the peer left)'::text)
   WHERE ((d.node_id = remove_peer.node_id) AND (d.resolved_at IS NULL));
 DELETE FROM sync.snapshot_row AS t
    USING sync.snapshot l
   WHERE ((l.snapshot_id = t.snapshot_id) AND (l.node_id = remove_peer.node_id) AND (l.completed_at IS NULL));
 DELETE FROM sync.snapshot AS l
   WHERE ((l.node_id = remove_peer.node_id) AND (l.completed_at IS NULL));
 DELETE FROM sync.peer AS p
   WHERE (p.node_id = remove_peer.node_id);
END;
COMMENT ON FUNCTION sync.remove_peer(node_id integer) IS 'Removes a peer. What came from it stays.';

-- replay(bigint); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.replay(quarantine_id bigint) RETURNS boolean
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$ select tpv.replay(quarantine_id) $$;
COMMENT ON FUNCTION sync.replay(quarantine_id bigint) IS 'Tries a row of sync.quarantine again: true when it is done, false when it still waits.';

-- replay_waiting(integer); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.replay_waiting(most integer DEFAULT 1000) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  item bigint;
  done integer := 0;
begin
  for item in
    select q.quarantine_id from sync.quarantine q
     where q.resolved_at is null and q.refused is null
     order by q.quarantine_id limit most
  loop
    done := done + sync.replay(item)::integer;
  end loop;
  return done;
end $$;
COMMENT ON FUNCTION sync.replay_waiting(most integer) IS 'Tries again everything that waits in quarantine, and returns how many rows are done. pg_cron calls it each minute.';

-- resend; Type: TABLE; Schema: wire; Owner: tpv_owner
CREATE TABLE wire.resend (
    node_id integer NOT NULL,
    resend_id bigint NOT NULL,
    to_node integer NOT NULL,
    hlc bigint NOT NULL,
    kind text NOT NULL,
    body text NOT NULL
);
COMMENT ON TABLE wire.resend IS 'What one node sends to one other: snapshots, documents and operations again, and requests for them. The receiver applies a row and does not store it.';
COMMENT ON COLUMN wire.resend.node_id IS 'The sender.';
COMMENT ON COLUMN wire.resend.resend_id IS 'Key at the sender.';
COMMENT ON COLUMN wire.resend.to_node IS 'The receiver.';
COMMENT ON COLUMN wire.resend.hlc IS 'When it was sent, as in wire.doc.';
COMMENT ON COLUMN wire.resend.kind IS 'snapshot and snapshot_end, operations, documents, request.';
COMMENT ON COLUMN wire.resend.body IS 'JSON.';

-- send(integer, text, text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.send(to_node integer, kind text, body text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 INSERT INTO wire.resend (node_id, to_node, hlc, kind, body)
   VALUES (org.this_node(), send.to_node, tpv.hlc_now(), send.kind, send.body);
END;
COMMENT ON FUNCTION sync.send(to_node integer, kind text, body text) IS 'Sends one row of wire.resend to one peer.';

-- request(integer, json); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.request(peer integer, wants json) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT sync.send(peer, 'request'::text, (json_build_object('wants', wants))::text) AS send;
END;
COMMENT ON FUNCTION sync.request(peer integer, wants json) IS 'Requests rows from a peer: [{"what": "hash_chain", "subject": "T01", "from": 12, "to": 20}, …].';

-- request_all(integer); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.request_all(peer integer) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT sync.request(peer, json_build_array(json_build_object('what', 'operations', 'subject', (peer)::text, 'from', (COALESCE(( SELECT k.seq
            FROM sync.contiguous() k(node_id, seq)
           WHERE (k.node_id = request_all.peer)), (0)::bigint) + 1)), json_build_object('what', 'hash_chain', 'subject', '*'), json_build_object('what', 'documents'))) AS request;
END;
COMMENT ON FUNCTION sync.request_all(peer integer) IS 'Requests from a peer everything of its own that may be missing here.';

-- resolve_conflict(text, text, text, integer, bigint); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.resolve_conflict(table_name text, key text, column_name text, node_id integer, seq bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
  tracked sync.tracked_table;
  before jsonb;
  value jsonb;
begin
  -- Alone among merges, and before any row is locked: see tpv.resolve_conflict.
  perform pg_advisory_xact_lock(7631990, 1);
  select * into tracked from sync.tracked_table e where e.table_name = resolve_conflict.table_name;
  if tracked.writer = 'central' and sync.is_joined_store() then
    raise exception '% is decided by central', table_name
      using errcode = '42501', hint = 'Resolve the conflict at central; the value arrives here by itself.';
  end if;
  if tracked.only_stricter ? resolve_conflict.column_name then
    execute format('select to_jsonb(t) -> %L from %s t where t.%I = $1::uuid',
                   column_name, tracked.table_name, tracked.key_column)
      into before using key;
  end if;
  value := tpv.resolve_conflict(table_name, key, column_name, node_id, seq);
  if sync.is_looser(tracked.only_stricter -> column_name, before, value) then
    raise exception '% of % only grows stricter', column_name, table_name
      using errcode = '23514',
        hint = format('Give a reason with sync.loosen(%L, %L, %L, value, why).', table_name, key, column_name);
  end if;
  insert into sync.resolution (table_name, key, column_name, node_id, seq, value)
  values (table_name, key, column_name, node_id, seq, value);
end $_$;
COMMENT ON FUNCTION sync.resolve_conflict(table_name text, key text, column_name text, node_id integer, seq bigint) IS 'Resolves a conflict: makes one of its values win. The value is written again, by an operation that has seen all the others.';

-- history; Type: TABLE; Schema: tpv_migration; Owner: tpv_owner
CREATE TABLE tpv_migration.history (
    version integer NOT NULL,
    name character varying(255),
    applied_on character varying(255),
    checksum character varying(255)
);
COMMENT ON TABLE tpv_migration.history IS 'One row per applied migration; written by tpv-migrate alone.';
COMMENT ON COLUMN tpv_migration.history.version IS 'Number of the migration.';
COMMENT ON COLUMN tpv_migration.history.name IS 'Name of the migration, without its number.';
COMMENT ON COLUMN tpv_migration.history.applied_on IS 'When it was applied, UTC, RFC 3339.';
COMMENT ON COLUMN tpv_migration.history.checksum IS 'SipHash of number, name and text.';

-- schema_version(); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.schema_version() RETURNS integer
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT max(h.version) AS max
    FROM tpv_migration.history h;
END;
COMMENT ON FUNCTION sync.schema_version() IS 'The last migration of this database.';

-- send_snapshot(integer); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.send_snapshot(to_node integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  sent bigint;
begin
  -- One after the other, so that their parts do not mix.
  perform pg_advisory_xact_lock(hashtextextended('sync.send_snapshot', 0));
  if exists (select from sync.quarantine q where q.code like 'OPERATION%' and q.resolved_at is null) then
    raise exception 'operations wait here that this version cannot read, so there is no state of them to send'
      using errcode = '55000',
        hint = 'Upgrade pg_tpv here first. The operations are in sync.quarantine, where code like ''OPERATION%''.';
  end if;
  if exists (select from sync.snapshot l where l.completed_at is null) then
    raise exception 'an incoming snapshot is not complete yet'
      using errcode = '55000',
        hint = 'It is in sync.snapshot, where completed_at is null. Get another one with sync.request.';
  end if;
  if exists (
    select from wire.op o left join sync.contiguous() k on k.node_id = o.node_id
     where o.seq > coalesce(k.seq, 0) and o.node_id <> org.this_node()
       and not exists (select from org.node n where n.node_id = org.this_node() and n.kind = 'central')) then
    raise exception 'operations of others are here beyond a gap, and a store cannot pass them on'
      using errcode = '55000', hint = 'Wait until the gap is filled. sync.contiguous() shows it.';
  end if;
  -- One statement sees one moment: the heads of all rows, and which operations went into them.
  with known as (
    select k.node_id, k.seq from sync.contiguous() k
  ), beyond as (
    -- Operations beyond a gap. They are sent as operations as well, and first: they may name what
    -- is in the gap.
    select o.* from wire.op o left join known k on k.node_id = o.node_id where o.seq > coalesce(k.seq, 0)
  ), range as (
    select b.node_id, min(b.seq) as from_seq, max(b.seq) as to_seq
      from (select o.node_id, o.seq, o.seq - row_number() over (partition by o.node_id order by o.seq) as place
              from beyond o) b
     group by b.node_id, b.place
  ), knows as (
    select (select coalesce(json_object_agg(k.node_id, k.seq order by k.node_id), '{}') from known k) as vector,
           (select coalesce(json_agg(json_build_array(r.node_id, r.from_seq, r.to_seq) order by r.node_id, r.from_seq), '[]')
              from range r) as beyond
  ), snapshot as (
    select tpv.uuid7() as snapshot_id
  ), entity as (
    select json_build_array(h.table_name, h.key, h.heads::json) as item,
           -- Policies first: the rest is then chosen once.
           (row_number() over (order by h.table_name <> 'sync.policy', h.table_name, h.key) - 1) / 500 as part
      from sync.head h
  ), part as materialized (
    select t.part, (select json_build_object('snapshot', l.snapshot_id, 'vector', w.vector, 'beyond', w.beyond,
                                             'rows', json_agg(t.item))::text
                      from snapshot l cross join knows w) as body
      from entity t group by t.part
  ), operation as (
    -- A node gets its own operations from nobody.
    select b.*, (row_number() over (order by b.node_id, b.seq) - 1) / 500 as part
      from beyond b where b.node_id <> send_snapshot.to_node
  ), message (step, nth, kind, body) as (
    select 1, o.part, 'operations',
           json_build_object('operations', json_agg(json_build_array(
             o.node_id, o.seq, o.hlc, o.table_name, o.key, o.patch, o.base) order by o.node_id, o.seq))::text
      from operation o group by o.part
    union all
    select 2, p.part, 'snapshot', p.body from part p
    union all
    select 3, 0, 'snapshot_end', json_build_object('snapshot', l.snapshot_id, 'vector', w.vector, 'beyond', w.beyond,
             'parts', (select count(*) from part),
             'digest', (select coalesce(sum(hashtextextended(p.body, 0)::numeric), 0) from part p)::text)::text
      from snapshot l cross join knows w
  ), written as (
    insert into sync.outgoing (to_node, kind, body)
    select send_snapshot.to_node, m.kind, m.body from message m order by m.step, m.nth
    returning 1
  )
  select count(*) into sent from written;
  return sent;
end $$;
COMMENT ON FUNCTION sync.send_snapshot(to_node integer) IS 'Prepares a snapshot of all tracked rows for a peer, with the operations that it covers; the background worker sends it. Returns how many rows of sync.outgoing it made.';

-- serve_request(sync.request, integer); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.serve_request(wanted sync.request, most integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  here integer := org.this_node();
  is_central boolean := (select n.kind = 'central' from org.node n where n.node_id = org.this_node());
  last_seq bigint;
  sent integer := 0;
begin
  if not exists (select from sync.peer p where p.node_id = wanted.node_id) then
    delete from sync.request r where r.node_id = wanted.node_id;
    return 0;
  end if;
  if wanted.what = 'operations' and (is_central or wanted.subject = here::text)
     and wanted.from_seq <= (select h.seq from sync.horizon h where h.node_id::text = wanted.subject)
     and not exists (select from wire.op o where o.node_id = wanted.subject::integer and o.seq = wanted.from_seq) then
    -- It came here in a snapshot, and can only be passed on in one.
    delete from sync.request r where r.node_id = wanted.node_id and r.what = wanted.what and r.subject = wanted.subject;
    wanted.what := 'snapshot';
  end if;
  if wanted.what = 'snapshot' then
    sent := sync.send_snapshot(wanted.node_id);
  elsif wanted.what = 'operations' and (is_central or wanted.subject = here::text) then
    with part as (
      select o.*, (row_number() over (order by o.seq) - 1) / 500 as part from (
        select * from wire.op o
         where o.node_id = wanted.subject::integer and o.seq >= wanted.from_seq
           and (wanted.to_seq is null or o.seq <= wanted.to_seq)
         order by o.seq limit most) o
    ), written as (
      insert into wire.resend (node_id, to_node, hlc, kind, body)
      select here, wanted.node_id, tpv.hlc_now(), 'operations',
             json_build_object('operations', json_agg(json_build_array(
               p.node_id, p.seq, p.hlc, p.table_name, p.key, p.patch, p.base) order by p.seq))::text
        from part p group by p.part order by p.part
    )
    select count(*), max(p.seq) into sent, last_seq from part p;
  elsif wanted.what in ('hash_chain', 'documents') then
    with part as (
      select d.*, (row_number() over (order by d.chain, d.chain_seq) - 1) / 100 as part from (
        select * from wire.doc d
         where wanted.what = 'hash_chain' and d.node_id = here and d.chain = wanted.subject and d.chain_seq >= wanted.from_seq
           and (wanted.to_seq is null or d.chain_seq <= wanted.to_seq)
        union all
        select * from wire.doc d where wanted.what = 'documents' and d.to_node = wanted.node_id
         order by chain, chain_seq limit case wanted.what when 'hash_chain' then most end) d
    ), written as (
      insert into wire.resend (node_id, to_node, hlc, kind, body)
      select here, wanted.node_id, tpv.hlc_now(), 'documents',
             json_build_object('documents', json_agg(json_build_object(
               'node_id', p.node_id, 'doc_id', p.doc_id, 'business_date', p.business_date, 'kind', p.kind,
               'to_node', p.to_node, 'hlc', p.hlc, 'schema_version', p.schema_version, 'chain', p.chain,
               'chain_seq', p.chain_seq, 'prev_hash', p.prev_hash, 'body', p.body, 'content_hash', p.content_hash) order by p.chain, p.chain_seq))::text
        from part p group by p.part order by p.part
    )
    select count(*), max(p.chain_seq) into sent, last_seq from part p;
  end if;
  if wanted.what in ('operations', 'hash_chain') and sent = most then
    update sync.request r set from_seq = last_seq + 1
     where r.node_id = wanted.node_id and r.what = wanted.what and r.subject = wanted.subject;
  else
    delete from sync.request r where r.node_id = wanted.node_id and r.what = wanted.what and r.subject = wanted.subject;
  end if;
  return greatest(sent, 1);
end $$;
COMMENT ON FUNCTION sync.serve_request(wanted sync.request, most integer) IS 'Sends the next part of what a peer requested.';

-- serve_requests(integer); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.serve_requests(most integer DEFAULT 2000) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  wanted sync.request;
  sent integer;
begin
  with next as (
    delete from sync.outgoing o where o.nth = (select min(f.nth) from sync.outgoing f) returning o.to_node, o.kind, o.body
  )
  insert into wire.resend (node_id, to_node, hlc, kind, body)
  select org.this_node(), n.to_node, tpv.hlc_now(), n.kind, n.body from next n join sync.peer p on p.node_id = n.to_node;
  get diagnostics sent = row_count;
  if sent > 0 or exists (select from sync.outgoing) then
    return 1;
  end if;
  -- Operations before documents: a receipt waits in quarantine until the operation that tells of
  -- its store is here.
  select * into wanted from sync.request r where r.requested_at <= clock_timestamp()
   order by r.what = 'snapshot' desc, r.what = 'operations' desc, r.requested_at limit 1 for update skip locked;
  if not found then
    return 0;
  end if;
  begin
    return sync.serve_request(wanted, serve_requests.most);
  exception when others then
    -- A request that cannot be served must not keep the background worker from the others, nor from
    -- heartbeats.
    raise warning 'the request of node % could not be served: %', wanted.node_id, sqlerrm;
    update sync.request r set requested_at = clock_timestamp() + interval '1 minute'
     where r.node_id = wanted.node_id and r.what = wanted.what and r.subject = wanted.subject;
    return 1;
  end;
end $$;
COMMENT ON FUNCTION sync.serve_requests(most integer) IS 'Sends the next part of what peers requested. Returns 0 if there was nothing to send. The background worker calls it.';

-- shared(jsonb, text[]); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.shared(image jsonb, columns text[]) RETURNS text[]
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT array_agg(lower((shared.image ->> c.c)) ORDER BY c.c) AS array_agg
    FROM unnest(shared.columns) c(c)
  HAVING bool_and(((shared.image ->> c.c) IS NOT NULL));
END;
COMMENT ON FUNCTION sync.shared(image jsonb, columns text[]) IS 'The values by which a row could be a duplicate, in lower case; null when one of them is null.';

-- slot_statement(text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.slot_statement(slot text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  select format('select pg_create_logical_replication_slot(%1$L, ''pgoutput'') '
                'where not exists (select from pg_replication_slots where slot_name = %1$L)', slot)
$_$;
COMMENT ON FUNCTION sync.slot_statement(slot text) IS 'The statement of a plan that makes a slot, if it is not there.';

-- subscribe_statement(text, text, text, text, text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.subscribe_statement(subscription text, conninfo text, publication text, slot text, origin text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  select format(
    'do $do$ declare version integer := current_setting(''server_version_num'')::integer; begin '
    'if exists (select from pg_subscription where subname = %1$L) then '
    'execute format(''alter subscription %1$I connection %%L'', %2$L); '
    'else execute format(''create subscription %1$I connection %%L publication %3$I with (slot_name = %4$I, %%s)'', '
    '%2$L, sync.subscription_options(version, %5$L)); '
    -- Before 16 only a superuser can own a subscription: tpv_apply is a superuser within this
    -- transaction, and never after it.
    'if version < 160000 then alter role tpv_apply superuser; end if; '
    'alter subscription %1$I owner to tpv_apply; '
    'if version < 160000 then alter role tpv_apply nosuperuser; end if; '
    'end if; end $do$', subscription, conninfo, publication, slot, origin)
$_$;
COMMENT ON FUNCTION sync.subscribe_statement(subscription text, conninfo text, publication text, slot text, origin text) IS 'The statement of a plan that subscribes without copying. Where the subscription exists, it changes only the connection.';

-- subscription_options(integer, text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.subscription_options(version integer, origin text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT ('create_slot = false, enabled = false, copy_data = false, binary = true, streaming = off, disable_on_error = false'::text ||
         CASE
             WHEN (version >= 160000) THEN format(', origin = %s, password_required = false, run_as_owner = true'::text, origin)
             ELSE ''::text
         END);
END;
COMMENT ON FUNCTION sync.subscription_options(version integer, origin text) IS 'The options of a subscription on a version of PostgreSQL.';

-- track(text, text, jsonb, text, jsonb, jsonb, jsonb); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.track(table_name text, writer text DEFAULT NULL::text, groups jsonb DEFAULT NULL::jsonb, owner_column text DEFAULT NULL::text, duplicates jsonb DEFAULT NULL::jsonb, only_stricter jsonb DEFAULT NULL::jsonb, sets jsonb DEFAULT NULL::jsonb) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    SET client_min_messages TO 'warning'
    AS $$
declare
  relation regclass := to_regclass(table_name);
  key_name text;
  report text := '';
  before sync.tracked_table;
  after sync.tracked_table;
  same record;
  existing bigint;
  column_name text;
begin
  table_name := relation::text;
  select * into before from sync.tracked_table e where e.table_name = track.table_name;
  -- An argument that is left out stays as it was.
  writer := coalesce(writer, before.writer, 'any');
  groups := coalesce(groups, before.groups, '{}');
  owner_column := coalesce(owner_column, before.owner_column);
  duplicates := coalesce(duplicates, before.duplicates, '{}');
  only_stricter := coalesce(only_stricter, before.only_stricter, '{}');
  sets := coalesce(sets, before.sets, '{}');
  -- Who may write is part of how every operation was merged, at each node.
  if writer <> before.writer and exists (select from sync.head h where h.table_name = track.table_name) then
    raise exception '% is written by % already', table_name, before.writer using errcode = '55000',
      hint = 'The writer of a table can be changed only before anybody has written it.';
  end if;
  key_name := sync.check_table(relation, jsonb_build_object(
    'writer', writer, 'groups', groups, 'owner_column', owner_column, 'duplicates', duplicates,
    'only_stricter', only_stricter, 'sets', sets));
  -- Operations write a set and another column in two forms, and nothing turns one into the other.
  for column_name in
    select coalesce(b.key, a.key)
      from jsonb_each(coalesce(before.sets, '{}')) b full join jsonb_each(sets) a on a.key = b.key
     where a.value is distinct from b.value
  loop
    if sync.was_written(table_name, column_name) then
      raise exception 'column % of % was written already', column_name, table_name using errcode = '55000',
        hint = 'What is a set is declared before anybody writes the column. Add another column.';
    end if;
    if sets ? column_name then
      execute format('update %s t set %I = tpv.as_set(t.%I) where t.%I <> tpv.as_set(t.%I)',
                     relation, column_name, column_name, column_name, column_name);
    end if;
  end loop;
  if not exists (select from pg_attribute a where a.attrelid = relation and a.attname = 'deleted' and not a.attisdropped) then
    execute format('alter table %s add column deleted boolean not null default false', relation);
    execute format('comment on column %s.deleted is %L', relation, 'Whether it was deleted. Rows are never removed.');
    report := report || 'added column deleted; ';
  end if;
  if duplicates <> '{}' and not exists (
    select from pg_attribute a where a.attrelid = relation and a.attname = 'alias_of' and not a.attisdropped) then
    execute format('alter table %s add column alias_of uuid', relation);
    execute format('comment on column %s.alias_of is %L', relation,
                   'The row that this one duplicates; null for a row that is no alias. sync.make_alias sets it.');
    report := report || 'added column alias_of; ';
  end if;
  for same in
    select d.key as kind, array_agg(c order by c) as columns
      from jsonb_each(duplicates) d cross join jsonb_array_elements_text(d.value) c group by d.key
  loop
    if to_regclass(format('%s_same_%s', relation, same.kind)) is null then
      execute format('create index %I on %s (%s) where not deleted and alias_of is null',
                     (select c.relname from pg_class c where c.oid = relation) || '_same_' || same.kind, relation,
                     (select string_agg(format('lower(%I::text)', c), ', ' order by c) from unnest(same.columns) c));
      report := report || format('added an index that finds the same %s; ', same.kind);
    end if;
  end loop;
  insert into sync.tracked_table (table_name, key_column, writer, groups, owner_column, duplicates, only_stricter, sets)
  values (track.table_name, key_name, track.writer, track.groups, track.owner_column, track.duplicates,
          track.only_stricter, track.sets)
  on conflict on constraint tracked_table_pkey do update
    set key_column = excluded.key_column, writer = excluded.writer, groups = excluded.groups,
        owner_column = excluded.owner_column, duplicates = excluded.duplicates, only_stricter = excluded.only_stricter,
        sets = excluded.sets
  returning * into after;
  if before.writer is distinct from after.writer
     or (select count(*) from pg_trigger t where t.tgrelid = relation
            and t.tgname in ('_100_guard', '_100_guard_delete', '_100_guard_truncate', '_900_capture'))
        < 3 + (after.writer = 'central')::integer
  then
    execute format('drop trigger if exists _100_guard on %s', relation);
    execute format('drop trigger if exists _100_guard_delete on %s', relation);
    execute format('drop trigger if exists _100_guard_truncate on %s', relation);
    execute format('drop trigger if exists _900_capture on %s', relation);
    -- What the merge writes is nobody's decision. WHEN saves even the call of the trigger for it.
    if writer = 'central' then
      execute format('create trigger _100_guard before insert or update on %s '
                     'for each row when (tpv.is_capturing()) execute function sync.guard()', relation);
    end if;
    execute format('create trigger _100_guard_delete before delete on %s '
                   'for each row execute function sync.guard()', relation);
    execute format('create trigger _100_guard_truncate before truncate on %s '
                   'for each statement execute function sync.guard()', relation);
    execute format('create constraint trigger _900_capture after insert or update on %s deferrable initially deferred '
                   'for each row when (tpv.is_capturing()) execute function sync.capture()', relation);
    report := report || 'added its triggers; ';
  end if;
  execute format('drop trigger if exists _200_check on %s', relation);
  if owner_column is not null or duplicates <> '{}' or only_stricter <> '{}' or sets <> '{}' then
    execute format('create trigger _200_check before insert or update on %s '
                   'for each row when (tpv.is_capturing()) execute function sync.check_row()', relation);
  end if;
  execute format('grant select, insert, update on %s to tpv_apply', relation);
  -- Rows that are there already become operations now, so that the journal is whole.
  execute format('select count(tpv.capture_change(%L, null, to_jsonb(t))) from %s t '
                 'where not exists (select from sync.head h where h.table_name = %L and h.key = t.%I::text)',
                 track.table_name, relation, track.table_name, key_name) into existing;
  if report = '' and existing = 0 and to_jsonb(before) = to_jsonb(after) then
    return format('%s was tracked like this already', table_name);
  end if;
  return report || format('%s is tracked by %s, written by %s; %s rows were there', table_name, key_name, writer, existing);
end $$;
COMMENT ON FUNCTION sync.track(table_name text, writer text, groups jsonb, owner_column text, duplicates jsonb, only_stricter jsonb, sets jsonb) IS 'Shares a table with the chain: adds the columns and triggers that it lacks, and an operation for each row that is there. Answers what it did. Can be repeated; an argument that is left out stays as it was.';

-- unsubscribe_statement(text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.unsubscribe_statement(subscription text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  select format(
    'do $do$ begin if exists (select from pg_subscription where subname = %1$L) then '
    'alter subscription %1$I disable; alter subscription %1$I set (slot_name = none); drop subscription %1$I; end if; end $do$', subscription)
$_$;
COMMENT ON FUNCTION sync.unsubscribe_statement(subscription text) IS 'The statement of a plan that drops a subscription. It does not touch the slot, which may be gone.';

-- was_written(text, text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.was_written(table_name text, column_name text) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT (EXISTS ( SELECT
            FROM (sync.head h
              CROSS JOIN LATERAL json_object_keys((h.heads)::json) r(r))
           WHERE ((h.table_name = was_written.table_name) AND ("substring"(r.r, '^[^/+]*'::text) = was_written.column_name)))) AS "exists";
END;
COMMENT ON FUNCTION sync.was_written(table_name text, column_name text) IS 'Whether an operation wrote the column, or an element of it.';

-- add_partition(date); Type: FUNCTION; Schema: wire; Owner: tpv_owner
CREATE FUNCTION wire.add_partition(month date) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  first_day date := date_trunc('month', month)::date;
  next_month date := (date_trunc('month', month) + interval '1 month')::date;
  leaf text := 'doc_' || to_char(first_day, 'YYYY_MM');
begin
  if to_regclass('wire.' || leaf) is not null then
    return false;
  end if;
  execute format('create table wire.%I (like wire.doc including defaults including comments)', leaf);
  -- Rows that arrived before their partition was made. They move without triggers: they were
  -- received when they arrived.
  if exists (select from wire.doc_default where business_date >= first_day and business_date < next_month) then
    alter table wire.doc_default disable trigger user;
    execute format('with moved as (delete from wire.doc_default where business_date >= %L and business_date < %L returning *) '
                   'insert into wire.%I select * from moved', first_day, next_month, leaf);
    alter table wire.doc_default enable trigger user;
    alter table wire.doc_default enable always trigger _100_receive;
    alter table wire.doc_default enable always trigger _900_refuse;
    alter table wire.doc_default enable always trigger _900_refuse_truncate;
  end if;
  execute format('comment on table wire.%I is %L', leaf, 'Documents of ' || to_char(first_day, 'YYYY-MM') || '.');
  execute format('alter table wire.doc attach partition wire.%I for values from (%L) to (%L)', leaf, first_day, next_month);
  -- Statement triggers are not inherited.
  execute format('create trigger _900_refuse_truncate before truncate on wire.%I '
                 'for each statement execute function tpv.refuse_change()', leaf);
  execute format('alter table wire.%I enable always trigger _900_refuse_truncate', leaf);
  return true;
end $$;
COMMENT ON FUNCTION wire.add_partition(month date) IS 'Makes the partition of wire.doc for the month of that day, and moves the rows of that month there from the default partition. Returns false if the partition exists already.';

-- maintain_partitions(); Type: FUNCTION; Schema: wire; Owner: tpv_owner
CREATE FUNCTION wire.maintain_partitions() RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  month date;
  made integer := 0;
begin
  -- An array, not a query: a loop over a query would keep the default partition open, and nothing
  -- could be moved from it.
  foreach month in array array(
    select m::date from generate_series(-13, 3) as k (n), date_trunc('month', now() + make_interval(months => n)) as m
    union
    select date_trunc('month', business_date)::date from wire.doc_default
    order by 1)
  loop
    made := made + wire.add_partition(month)::integer;
  end loop;
  return made;
end $$;
COMMENT ON FUNCTION wire.maintain_partitions() IS 'Keeps partitions of wire.doc from 13 months back to 3 months ahead, and empties the default partition. Returns how many it made. pg_cron calls it each night.';

-- verify_chains(); Type: FUNCTION; Schema: wire; Owner: tpv_owner
CREATE FUNCTION wire.verify_chains() RETURNS TABLE(node_id integer, chain text, documents bigint, head_seq bigint, intact boolean, broken_seq bigint, broken_doc uuid, reason text)
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$ select * from tpv.verify_chains() $$;
COMMENT ON FUNCTION wire.verify_chains() IS 'Checks every document and every hash chain: one row for each chain, with the first broken link and why, if there is one.';

-- barcode; Type: TABLE; Schema: catalog; Owner: tpv_owner
CREATE TABLE catalog.barcode (
    barcode_id uuid DEFAULT tpv.uuid7() NOT NULL,
    gtin14 text NOT NULL,
    product_id uuid NOT NULL,
    deleted boolean DEFAULT false NOT NULL,
    CONSTRAINT barcode_gtin14_check CHECK ((gtin14 ~ '^[0-9]{14}$'::text))
);
COMMENT ON TABLE catalog.barcode IS 'Which product a barcode is.';
COMMENT ON COLUMN catalog.barcode.barcode_id IS 'Key.';
COMMENT ON COLUMN catalog.barcode.gtin14 IS 'The GTIN in its 14-digit form.';
COMMENT ON COLUMN catalog.barcode.product_id IS 'The product.';
COMMENT ON COLUMN catalog.barcode.deleted IS 'Whether it was deleted. Rows are never removed.';

-- price; Type: TABLE; Schema: catalog; Owner: tpv_owner
CREATE TABLE catalog.price (
    price_id uuid DEFAULT tpv.uuid7() NOT NULL,
    product_id uuid NOT NULL,
    node_id integer,
    price numeric(14,4) NOT NULL,
    valid_from timestamp with time zone NOT NULL,
    valid_to timestamp with time zone,
    deleted boolean DEFAULT false NOT NULL,
    CONSTRAINT price_check CHECK ((valid_to > valid_from)),
    CONSTRAINT price_price_check CHECK ((price >= (0)::numeric))
);
COMMENT ON TABLE catalog.price IS 'Unit prices with tax, and when they hold.';
COMMENT ON COLUMN catalog.price.price_id IS 'Key.';
COMMENT ON COLUMN catalog.price.product_id IS 'The product.';
COMMENT ON COLUMN catalog.price.node_id IS 'The only store it holds in; null for all.';
COMMENT ON COLUMN catalog.price.price IS 'Unit price with tax.';
COMMENT ON COLUMN catalog.price.valid_from IS 'From when.';
COMMENT ON COLUMN catalog.price.valid_to IS 'Until when, exclusive; null for until further notice.';
COMMENT ON COLUMN catalog.price.deleted IS 'Whether it was deleted. Rows are never removed.';

-- product; Type: TABLE; Schema: catalog; Owner: tpv_owner
CREATE TABLE catalog.product (
    product_id uuid DEFAULT tpv.uuid7() NOT NULL,
    sku text NOT NULL,
    description text NOT NULL,
    tax_id uuid,
    unit text DEFAULT 'piece'::text NOT NULL,
    deleted boolean DEFAULT false NOT NULL,
    CONSTRAINT product_unit_check CHECK ((unit = ANY (ARRAY['piece'::text, 'kg'::text, 'litre'::text])))
);
COMMENT ON TABLE catalog.product IS 'What the chain sells.';
COMMENT ON COLUMN catalog.product.product_id IS 'Key.';
COMMENT ON COLUMN catalog.product.sku IS 'The chain''s own number.';
COMMENT ON COLUMN catalog.product.description IS 'Name for people.';
COMMENT ON COLUMN catalog.product.tax_id IS 'Its tax rate.';
COMMENT ON COLUMN catalog.product.unit IS 'What a quantity of it counts.';
COMMENT ON COLUMN catalog.product.deleted IS 'Whether it was deleted. Rows are never removed.';

-- tax; Type: TABLE; Schema: catalog; Owner: tpv_owner
CREATE TABLE catalog.tax (
    tax_id uuid DEFAULT tpv.uuid7() NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    rate numeric(5,2) NOT NULL,
    deleted boolean DEFAULT false NOT NULL,
    CONSTRAINT tax_rate_check CHECK (((rate >= (0)::numeric) AND (rate <= (100)::numeric)))
);
COMMENT ON TABLE catalog.tax IS 'Tax rates.';
COMMENT ON COLUMN catalog.tax.tax_id IS 'Key.';
COMMENT ON COLUMN catalog.tax.code IS 'Short name.';
COMMENT ON COLUMN catalog.tax.name IS 'Name for people.';
COMMENT ON COLUMN catalog.tax.rate IS 'Percent.';
COMMENT ON COLUMN catalog.tax.deleted IS 'Whether it was deleted. Rows are never removed.';

-- file; Type: TABLE; Schema: dat; Owner: tpv_owner
CREATE TABLE dat.file (
    node_id integer NOT NULL,
    receipt_id uuid NOT NULL,
    terminal text NOT NULL,
    folder text NOT NULL,
    name text NOT NULL,
    trigger_name text,
    bytes bytea NOT NULL,
    sha256 bytea NOT NULL,
    profile_id uuid NOT NULL,
    profile_version integer NOT NULL,
    made_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    withdrawn_at timestamp with time zone
);
COMMENT ON TABLE dat.file IS 'The .dat file of each receipt that has one, with the very bytes that were published.';
COMMENT ON COLUMN dat.file.node_id IS 'The store.';
COMMENT ON COLUMN dat.file.receipt_id IS 'The receipt, wire.doc.doc_id.';
COMMENT ON COLUMN dat.file.terminal IS 'The terminal in whose queue the watcher handles it.';
COMMENT ON COLUMN dat.file.folder IS 'Folder below out/.';
COMMENT ON COLUMN dat.file.name IS 'Name of the file.';
COMMENT ON COLUMN dat.file.trigger_name IS 'Empty file that follows it, if the layout wants one.';
COMMENT ON COLUMN dat.file.bytes IS 'Its content.';
COMMENT ON COLUMN dat.file.sha256 IS 'SHA-256 of its content.';
COMMENT ON COLUMN dat.file.profile_id IS 'The layout it was made with.';
COMMENT ON COLUMN dat.file.profile_version IS 'The version of that layout.';
COMMENT ON COLUMN dat.file.made_at IS 'When it was made.';
COMMENT ON COLUMN dat.file.withdrawn_at IS 'When it was withdrawn; null while it belongs on the disk.';

-- pending; Type: TABLE; Schema: dat; Owner: tpv_owner
CREATE TABLE dat.pending (
    pending_id bigint NOT NULL,
    node_id integer NOT NULL,
    receipt_id uuid NOT NULL,
    terminal text NOT NULL,
    action text NOT NULL,
    folder text NOT NULL,
    name text NOT NULL,
    trigger_name text,
    sha256 bytea NOT NULL,
    why text NOT NULL,
    asked_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    asked_by text DEFAULT SESSION_USER NOT NULL,
    done_at timestamp with time zone,
    result text,
    detail text,
    CONSTRAINT pending_action_check CHECK ((action = ANY (ARRAY['publish'::text, 'withdraw'::text]))),
    CONSTRAINT pending_check CHECK (((done_at IS NULL) = (result IS NULL))),
    CONSTRAINT pending_result_check CHECK ((result = ANY (ARRAY['done'::text, 'failed'::text, 'cancelled'::text])))
);
COMMENT ON TABLE dat.pending IS 'What operators decided and the watcher has still to do on the disk, oldest first.';
COMMENT ON COLUMN dat.pending.pending_id IS 'Key; also the order.';
COMMENT ON COLUMN dat.pending.node_id IS 'The store.';
COMMENT ON COLUMN dat.pending.receipt_id IS 'The receipt.';
COMMENT ON COLUMN dat.pending.terminal IS 'The terminal in whose queue it is done.';
COMMENT ON COLUMN dat.pending.action IS 'publish or withdraw.';
COMMENT ON COLUMN dat.pending.folder IS 'Folder below out/.';
COMMENT ON COLUMN dat.pending.name IS 'Name of the file.';
COMMENT ON COLUMN dat.pending.trigger_name IS 'Empty file that follows it, if any.';
COMMENT ON COLUMN dat.pending.sha256 IS 'SHA-256 of the file that is meant.';
COMMENT ON COLUMN dat.pending.why IS 'The reason that the operator gave.';
COMMENT ON COLUMN dat.pending.asked_at IS 'When it was decided.';
COMMENT ON COLUMN dat.pending.asked_by IS 'Who decided.';
COMMENT ON COLUMN dat.pending.done_at IS 'When it was finished; null while it waits.';
COMMENT ON COLUMN dat.pending.result IS 'done, failed (a withdrawal found no file: the checkout has it), or cancelled by a later decision.';
COMMENT ON COLUMN dat.pending.detail IS 'What the watcher reported.';

-- pending_pending_id_seq; Type: SEQUENCE; Schema: dat; Owner: tpv_owner
ALTER TABLE dat.pending ALTER COLUMN pending_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME dat.pending_pending_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- profile; Type: TABLE; Schema: dat; Owner: tpv_owner
CREATE TABLE dat.profile (
    profile_id uuid DEFAULT tpv.uuid7() NOT NULL,
    node_id integer NOT NULL,
    department_code text,
    version integer NOT NULL,
    profile jsonb NOT NULL,
    saved_at timestamp with time zone DEFAULT now() NOT NULL,
    saved_by text DEFAULT SESSION_USER NOT NULL,
    deleted boolean DEFAULT false NOT NULL
);
COMMENT ON TABLE dat.profile IS 'Layouts of .dat files. The newest version of a department''s own, else of the store''s, is used.';
COMMENT ON COLUMN dat.profile.profile_id IS 'Key.';
COMMENT ON COLUMN dat.profile.node_id IS 'The store.';
COMMENT ON COLUMN dat.profile.department_code IS 'The only department it is for; null for the whole store.';
COMMENT ON COLUMN dat.profile.version IS 'Counts up from 1 for each store and department.';
COMMENT ON COLUMN dat.profile.profile IS 'The layout, as tpv.dat_render reads it.';
COMMENT ON COLUMN dat.profile.saved_at IS 'When it was saved.';
COMMENT ON COLUMN dat.profile.saved_by IS 'Who saved it.';
COMMENT ON COLUMN dat.profile.deleted IS 'Whether it was deleted. Rows are never removed.';

-- superseded; Type: TABLE; Schema: dat; Owner: tpv_owner
CREATE TABLE dat.superseded (
    superseded_id bigint NOT NULL,
    superseded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    node_id integer NOT NULL,
    receipt_id uuid NOT NULL,
    folder text NOT NULL,
    name text NOT NULL,
    bytes bytea NOT NULL,
    sha256 bytea NOT NULL,
    profile_id uuid NOT NULL,
    made_at timestamp with time zone NOT NULL
);
COMMENT ON TABLE dat.superseded IS 'Earlier .dat files of receipts whose .dat was rendered again.';
COMMENT ON COLUMN dat.superseded.superseded_id IS 'Key.';
COMMENT ON COLUMN dat.superseded.superseded_at IS 'When it was replaced.';
COMMENT ON COLUMN dat.superseded.node_id IS 'The store.';
COMMENT ON COLUMN dat.superseded.receipt_id IS 'The receipt.';
COMMENT ON COLUMN dat.superseded.folder IS 'Folder it was published in.';
COMMENT ON COLUMN dat.superseded.name IS 'Name it was published under.';
COMMENT ON COLUMN dat.superseded.bytes IS 'Its content.';
COMMENT ON COLUMN dat.superseded.sha256 IS 'SHA-256 of its content.';
COMMENT ON COLUMN dat.superseded.profile_id IS 'The layout it was made with.';
COMMENT ON COLUMN dat.superseded.made_at IS 'When it was made.';

-- superseded_superseded_id_seq; Type: SEQUENCE; Schema: dat; Owner: tpv_owner
ALTER TABLE dat.superseded ALTER COLUMN superseded_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME dat.superseded_superseded_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- withdraw_failed; Type: VIEW; Schema: dat; Owner: tpv_owner
CREATE VIEW dat.withdraw_failed WITH (security_invoker='true') AS
 SELECT pending.pending_id,
    pending.receipt_id,
    pending.terminal,
    pending.folder,
    pending.name,
    pending.why,
    pending.asked_at,
    pending.asked_by,
    pending.done_at,
    pending.detail
   FROM dat.pending
  WHERE ((pending.action = 'withdraw'::text) AND (pending.result = 'failed'::text));
COMMENT ON VIEW dat.withdraw_failed IS 'Alarm: withdrawals that came too late. The checkout has read the file, so the customer may have paid.';

-- department; Type: TABLE; Schema: org; Owner: tpv_owner
CREATE TABLE org.department (
    department_id uuid DEFAULT tpv.uuid7() NOT NULL,
    node_id integer NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    legal_entity_id uuid,
    deleted boolean DEFAULT false NOT NULL,
    CONSTRAINT department_code_check CHECK ((code ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,15}$'::text))
);
COMMENT ON TABLE org.department IS 'Departments of a store; many are leased to a concessionaire.';
COMMENT ON COLUMN org.department.department_id IS 'Key, generated where the department was registered.';
COMMENT ON COLUMN org.department.node_id IS 'The store''s node.';
COMMENT ON COLUMN org.department.code IS 'Code that its receipts carry in departmentCode.';
COMMENT ON COLUMN org.department.name IS 'Name for people.';
COMMENT ON COLUMN org.department.legal_entity_id IS 'The concessionaire; null for a department that the store runs itself.';
COMMENT ON COLUMN org.department.deleted IS 'Whether it was deleted. Rows are never removed.';

-- legal_entity; Type: TABLE; Schema: org; Owner: tpv_owner
CREATE TABLE org.legal_entity (
    legal_entity_id uuid DEFAULT tpv.uuid7() NOT NULL,
    name text NOT NULL,
    tax_id text,
    deleted boolean DEFAULT false NOT NULL,
    CONSTRAINT legal_entity_name_check CHECK ((name <> ''::text))
);
COMMENT ON TABLE org.legal_entity IS 'Legal entities that can issue an invoice: the chain itself and its concessionaires.';
COMMENT ON COLUMN org.legal_entity.legal_entity_id IS 'Key, generated where the entity was registered.';
COMMENT ON COLUMN org.legal_entity.name IS 'Registered name.';
COMMENT ON COLUMN org.legal_entity.tax_id IS 'Tax number, if known.';
COMMENT ON COLUMN org.legal_entity.deleted IS 'Whether it was deleted. Rows are never removed.';

-- store; Type: TABLE; Schema: org; Owner: tpv_owner
CREATE TABLE org.store (
    store_id uuid DEFAULT tpv.uuid7() NOT NULL,
    node_id integer NOT NULL,
    name text NOT NULL,
    timezone text NOT NULL,
    cutoff_hour smallint NOT NULL,
    currency text NOT NULL,
    legal_entity_id uuid,
    deleted boolean DEFAULT false NOT NULL,
    CONSTRAINT store_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT store_cutoff_hour_check CHECK (((cutoff_hour >= 0) AND (cutoff_hour <= 23)))
);
COMMENT ON TABLE org.store IS 'Stores. Each has a node of its own.';
COMMENT ON COLUMN org.store.store_id IS 'Key, generated where the store was registered.';
COMMENT ON COLUMN org.store.node_id IS 'The store''s node.';
COMMENT ON COLUMN org.store.name IS 'Name for people.';
COMMENT ON COLUMN org.store.timezone IS 'IANA time zone of the store''s clocks, such as Europe/Madrid.';
COMMENT ON COLUMN org.store.cutoff_hour IS 'Sales before this local hour belong to the business date before.';
COMMENT ON COLUMN org.store.currency IS 'ISO 4217 code of every amount of this store.';
COMMENT ON COLUMN org.store.legal_entity_id IS 'Whoever runs the store.';
COMMENT ON COLUMN org.store.deleted IS 'Whether it was deleted. Rows are never removed.';

-- terminal; Type: TABLE; Schema: org; Owner: tpv_owner
CREATE TABLE org.terminal (
    terminal_id uuid DEFAULT tpv.uuid7() NOT NULL,
    node_id integer NOT NULL,
    code text NOT NULL,
    department_code text NOT NULL,
    declares jsonb DEFAULT '{}'::jsonb NOT NULL,
    active boolean DEFAULT true NOT NULL,
    deleted boolean DEFAULT false NOT NULL,
    CONSTRAINT terminal_code_check CHECK ((code ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$'::text))
);
COMMENT ON TABLE org.terminal IS 'Terminals (scales, tills) that drop receipts as files, one inbox folder for each.';
COMMENT ON COLUMN org.terminal.terminal_id IS 'Key, generated where the terminal was registered.';
COMMENT ON COLUMN org.terminal.node_id IS 'The store''s node.';
COMMENT ON COLUMN org.terminal.code IS 'Code; the name of its inbox folder and the terminalId of its receipts.';
COMMENT ON COLUMN org.terminal.department_code IS 'The department it belongs to.';
COMMENT ON COLUMN org.terminal.declares IS 'What is special about its files: encoding, decimal_comma, price_decimals, numeric_barcode, timezone, total_tolerance_cents.';
COMMENT ON COLUMN org.terminal.active IS 'An inactive terminal''s files are quarantined UNKNOWN_TERMINAL.';
COMMENT ON COLUMN org.terminal.deleted IS 'Whether it was deleted. Rows are never removed.';

-- customer; Type: TABLE; Schema: party; Owner: tpv_owner
CREATE TABLE party.customer (
    customer_id uuid DEFAULT tpv.uuid7() NOT NULL,
    name text NOT NULL,
    email text,
    phone text,
    street text,
    postcode text,
    city text,
    country text,
    tags jsonb DEFAULT '[]'::jsonb NOT NULL,
    consent text DEFAULT 'none'::text NOT NULL,
    credit_limit numeric(14,2),
    home_node_id integer,
    deleted boolean DEFAULT false NOT NULL,
    alias_of uuid,
    CONSTRAINT customer_consent_check CHECK ((consent = ANY (ARRAY['none'::text, 'email'::text, 'all'::text]))),
    CONSTRAINT customer_tags_check CHECK ((jsonb_typeof(tags) = 'array'::text))
);
COMMENT ON TABLE party.customer IS 'Customers. Every node may write them.';
COMMENT ON COLUMN party.customer.customer_id IS 'Key, generated where the customer was first registered.';
COMMENT ON COLUMN party.customer.name IS 'Name.';
COMMENT ON COLUMN party.customer.email IS 'E-mail address; two customers with one are duplicates.';
COMMENT ON COLUMN party.customer.phone IS 'Telephone.';
COMMENT ON COLUMN party.customer.street IS 'Street and number; the address is one group.';
COMMENT ON COLUMN party.customer.postcode IS 'Postal code.';
COMMENT ON COLUMN party.customer.city IS 'City.';
COMMENT ON COLUMN party.customer.country IS 'ISO 3166 code.';
COMMENT ON COLUMN party.customer.tags IS 'A set of words, as a sorted JSON array. Each word is added and removed by itself.';
COMMENT ON COLUMN party.customer.consent IS 'What the customer allows: none, email, all. Of two the stricter holds, and only sync.loosen makes it looser.';
COMMENT ON COLUMN party.customer.credit_limit IS 'How much may be owed.';
COMMENT ON COLUMN party.customer.home_node_id IS 'The node that owns the row: the one that inserted it, unless the insert named another. It does not change.';
COMMENT ON COLUMN party.customer.deleted IS 'Whether it was deleted. Rows are never removed.';
COMMENT ON COLUMN party.customer.alias_of IS 'The row that this one duplicates; null for a row that is no alias. sync.make_alias sets it.';

-- day_close; Type: TABLE; Schema: sales; Owner: tpv_owner
CREATE TABLE sales.day_close (
    node_id integer NOT NULL,
    business_date date NOT NULL,
    closed_at timestamp with time zone NOT NULL
);
COMMENT ON TABLE sales.day_close IS 'Business days that are closed, a projection. A receipt that comes later is late: it counts, and gets no .dat by itself.';
COMMENT ON COLUMN sales.day_close.node_id IS 'The store''s node.';
COMMENT ON COLUMN sales.day_close.business_date IS 'The day.';
COMMENT ON COLUMN sales.day_close.closed_at IS 'When it was first closed.';

-- receipt; Type: TABLE; Schema: sales; Owner: tpv_owner
CREATE TABLE sales.receipt (
    node_id integer NOT NULL,
    receipt_id uuid NOT NULL,
    business_date date NOT NULL,
    terminal text NOT NULL,
    department text NOT NULL,
    series text NOT NULL,
    receipt_number text NOT NULL,
    printed_text text NOT NULL,
    printed_local timestamp without time zone NOT NULL,
    printed_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    line_count integer NOT NULL,
    total numeric(14,2) NOT NULL,
    lines_total numeric(14,2) NOT NULL,
    total_difference numeric(14,2) NOT NULL,
    state text NOT NULL,
    first_outcome text NOT NULL,
    hold_code text,
    hold_pointer text,
    hold_detail text,
    flags text[] NOT NULL,
    CONSTRAINT receipt_first_outcome_check CHECK ((first_outcome = ANY (ARRAY['accepted'::text, 'held'::text]))),
    CONSTRAINT receipt_state_check CHECK ((state = ANY (ARRAY['accepted'::text, 'held'::text, 'released'::text, 'voided'::text])))
);
COMMENT ON TABLE sales.receipt IS 'Receipts of departments, one row each: a projection of documents of kind receipt and of the documents about them.';
COMMENT ON COLUMN sales.receipt.node_id IS 'The store''s node.';
COMMENT ON COLUMN sales.receipt.receipt_id IS 'The receipt, wire.doc.doc_id.';
COMMENT ON COLUMN sales.receipt.business_date IS 'The business day it counts for.';
COMMENT ON COLUMN sales.receipt.terminal IS 'The terminal that issued it.';
COMMENT ON COLUMN sales.receipt.department IS 'Department code as printed.';
COMMENT ON COLUMN sales.receipt.series IS 'Ticket series; empty when there is none.';
COMMENT ON COLUMN sales.receipt.receipt_number IS 'Number as printed, receiptId.';
COMMENT ON COLUMN sales.receipt.printed_text IS 'The time as the terminal wrote it.';
COMMENT ON COLUMN sales.receipt.printed_local IS 'The time it was printed on the store''s wall clock.';
COMMENT ON COLUMN sales.receipt.printed_at IS 'The instant it was printed.';
COMMENT ON COLUMN sales.receipt.recorded_at IS 'When the store''s database received it.';
COMMENT ON COLUMN sales.receipt.line_count IS 'Number of lines.';
COMMENT ON COLUMN sales.receipt.total IS 'Printed total with tax: what the customer saw.';
COMMENT ON COLUMN sales.receipt.lines_total IS 'Sum of the lines.';
COMMENT ON COLUMN sales.receipt.total_difference IS 'total - lines_total.';
COMMENT ON COLUMN sales.receipt.state IS 'accepted, held (waits for a person), released (was held, and a person released it), voided (also the ticket that undid another). Count accepted and released.';
COMMENT ON COLUMN sales.receipt.first_outcome IS 'The answer to the first delivery: accepted or held.';
COMMENT ON COLUMN sales.receipt.hold_code IS 'Why it was held; null when it was not.';
COMMENT ON COLUMN sales.receipt.hold_pointer IS 'JSON pointer to the cause.';
COMMENT ON COLUMN sales.receipt.hold_detail IS 'The reason as a sentence.';
COMMENT ON COLUMN sales.receipt.flags IS 'Codes of what was odd but no reason to hold it: ROUNDING, CHECK_DIGIT, ZERO_PRICE …';

-- held; Type: VIEW; Schema: sales; Owner: tpv_owner
CREATE VIEW sales.held WITH (security_invoker='true') AS
 SELECT receipt.node_id,
    receipt.receipt_id,
    receipt.receipt_number,
    receipt.series,
    receipt.terminal,
    receipt.department,
    receipt.business_date,
    receipt.printed_local,
    receipt.total,
    receipt.line_count,
    receipt.hold_code,
    receipt.hold_pointer,
    receipt.hold_detail,
    receipt.flags,
    receipt.recorded_at
   FROM sales.receipt
  WHERE (receipt.state = 'held'::text);
COMMENT ON VIEW sales.held IS 'Receipts that wait for a person, who calls sales.release or sales.void.';

-- raw; Type: TABLE; Schema: sales; Owner: tpv_owner
CREATE TABLE sales.raw (
    raw_id bigint NOT NULL,
    received_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    terminal text NOT NULL,
    file_name text,
    outcome text NOT NULL,
    receipt_id uuid,
    bytes bytea NOT NULL
);
COMMENT ON TABLE sales.raw IS 'Every delivery as it came, repeated ones too.';
COMMENT ON COLUMN sales.raw.raw_id IS 'Key, in order of arrival.';
COMMENT ON COLUMN sales.raw.received_at IS 'When.';
COMMENT ON COLUMN sales.raw.terminal IS 'Inbox it came from.';
COMMENT ON COLUMN sales.raw.file_name IS 'Name of the file; null when the caller gave none.';
COMMENT ON COLUMN sales.raw.outcome IS 'The answer to it: accepted, duplicate or held. Refused files are in sales.rejected.';
COMMENT ON COLUMN sales.raw.receipt_id IS 'The receipt.';
COMMENT ON COLUMN sales.raw.bytes IS 'The file.';

-- raw_raw_id_seq; Type: SEQUENCE; Schema: sales; Owner: tpv_owner
ALTER TABLE sales.raw ALTER COLUMN raw_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sales.raw_raw_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- receipt_event; Type: TABLE; Schema: sales; Owner: tpv_owner
CREATE TABLE sales.receipt_event (
    node_id integer NOT NULL,
    receipt_id uuid NOT NULL,
    doc_node integer NOT NULL,
    doc_id uuid NOT NULL,
    kind text NOT NULL,
    hlc bigint NOT NULL,
    body text NOT NULL
);
COMMENT ON TABLE sales.receipt_event IS 'Documents about receipts after they were printed, a projection: intake, release, void, withdraw, render.';
COMMENT ON COLUMN sales.receipt_event.node_id IS 'Node of the receipt.';
COMMENT ON COLUMN sales.receipt_event.receipt_id IS 'The receipt.';
COMMENT ON COLUMN sales.receipt_event.doc_node IS 'The node that wrote the document.';
COMMENT ON COLUMN sales.receipt_event.doc_id IS 'The document.';
COMMENT ON COLUMN sales.receipt_event.kind IS 'Its kind.';
COMMENT ON COLUMN sales.receipt_event.hlc IS 'When it was recorded.';
COMMENT ON COLUMN sales.receipt_event.body IS 'Its body: why, and by whom.';

-- receipt_key; Type: TABLE; Schema: sales; Owner: tpv_owner
CREATE TABLE sales.receipt_key (
    terminal text NOT NULL,
    printed_date date NOT NULL,
    series text NOT NULL,
    receipt_number text NOT NULL,
    variant bytea DEFAULT '\x'::bytea NOT NULL,
    receipt_id uuid NOT NULL,
    business_date date NOT NULL,
    content_hash bytea NOT NULL,
    first_outcome text NOT NULL,
    flags text[] DEFAULT '{}'::text[] NOT NULL,
    CONSTRAINT receipt_key_first_outcome_check CHECK ((first_outcome = ANY (ARRAY['accepted'::text, 'held'::text])))
);
COMMENT ON TABLE sales.receipt_key IS 'Which receipt has which number: it decides whether a receipt is new. At its own store only.';
COMMENT ON COLUMN sales.receipt_key.terminal IS 'The terminal.';
COMMENT ON COLUMN sales.receipt_key.printed_date IS 'The local date the terminal printed.';
COMMENT ON COLUMN sales.receipt_key.series IS 'Ticket series; empty when there is none.';
COMMENT ON COLUMN sales.receipt_key.receipt_number IS 'The number as printed, receiptId.';
COMMENT ON COLUMN sales.receipt_key.variant IS 'Empty for the first; the content hash for others that claim the same number.';
COMMENT ON COLUMN sales.receipt_key.receipt_id IS 'The receipt, wire.doc.doc_id.';
COMMENT ON COLUMN sales.receipt_key.business_date IS 'Its business date, fixed at first acceptance.';
COMMENT ON COLUMN sales.receipt_key.content_hash IS 'SHA-256 of its canonical form.';
COMMENT ON COLUMN sales.receipt_key.first_outcome IS 'The answer to the first delivery: accepted or held.';
COMMENT ON COLUMN sales.receipt_key.flags IS 'The flags it was given then.';

-- receipt_line; Type: TABLE; Schema: sales; Owner: tpv_owner
CREATE TABLE sales.receipt_line (
    node_id integer NOT NULL,
    receipt_id uuid NOT NULL,
    line_number integer NOT NULL,
    business_date date NOT NULL,
    barcode text NOT NULL,
    gtin14 text,
    description text NOT NULL,
    price numeric(14,4) NOT NULL,
    quantity numeric(14,3),
    tax_rate numeric(5,2),
    total numeric(14,2) NOT NULL
);
COMMENT ON TABLE sales.receipt_line IS 'Lines of receipts, a projection. Take the state of the receipt into account when counting.';
COMMENT ON COLUMN sales.receipt_line.node_id IS 'The store''s node.';
COMMENT ON COLUMN sales.receipt_line.receipt_id IS 'The receipt.';
COMMENT ON COLUMN sales.receipt_line.line_number IS 'Place on the receipt, from 1.';
COMMENT ON COLUMN sales.receipt_line.business_date IS 'Business date of the receipt.';
COMMENT ON COLUMN sales.receipt_line.barcode IS 'Barcode as it was given.';
COMMENT ON COLUMN sales.receipt_line.gtin14 IS 'Its 14-digit form when it is a GTIN with a right check digit.';
COMMENT ON COLUMN sales.receipt_line.description IS 'In full, without NUL characters.';
COMMENT ON COLUMN sales.receipt_line.price IS 'Unit price with tax.';
COMMENT ON COLUMN sales.receipt_line.quantity IS 'Pieces or kilograms; negative when taken back; null when it has more decimals than this column (such a receipt is held).';
COMMENT ON COLUMN sales.receipt_line.tax_rate IS 'Percent; null when the terminal did not say.';
COMMENT ON COLUMN sales.receipt_line.total IS 'price × quantity, rounded half away from zero.';

-- receipt_tax; Type: VIEW; Schema: sales; Owner: tpv_owner
CREATE VIEW sales.receipt_tax WITH (security_invoker='true') AS
 SELECT t.node_id,
    t.receipt_id,
    t.business_date,
    t.tax_rate,
    t.total,
    t.net,
    (t.total - t.net) AS tax
   FROM ( SELECT l.node_id,
            l.receipt_id,
            l.business_date,
            l.tax_rate,
            sum(l.total) AS total,
            round(((sum(l.total) * (100)::numeric) / ((100)::numeric + l.tax_rate)), 2) AS net
           FROM sales.receipt_line l
          GROUP BY l.node_id, l.receipt_id, l.business_date, l.tax_rate) t;
COMMENT ON VIEW sales.receipt_tax IS 'Receipts by tax rate. Prices include the tax, so the net amount is rounded, once for each rate. The totals of a receipt''s rows add up to its lines_total.';
COMMENT ON COLUMN sales.receipt_tax.node_id IS 'The store''s node.';
COMMENT ON COLUMN sales.receipt_tax.receipt_id IS 'The receipt.';
COMMENT ON COLUMN sales.receipt_tax.business_date IS 'Business date of the receipt.';
COMMENT ON COLUMN sales.receipt_tax.tax_rate IS 'Percent; null when the terminal did not say.';
COMMENT ON COLUMN sales.receipt_tax.total IS 'Sum of the lines at that rate, with tax.';
COMMENT ON COLUMN sales.receipt_tax.net IS 'total without tax, rounded half away from zero; null when the rate is not known.';
COMMENT ON COLUMN sales.receipt_tax.tax IS 'total - net.';

-- rejected; Type: TABLE; Schema: sales; Owner: tpv_owner
CREATE TABLE sales.rejected (
    rejected_id bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    terminal text NOT NULL,
    file_name text,
    size_bytes bigint NOT NULL,
    sha256 bytea NOT NULL,
    code text NOT NULL,
    pointer text DEFAULT ''::text NOT NULL,
    detail text NOT NULL,
    raw bytea
);
COMMENT ON TABLE sales.rejected IS 'Files that are no usable receipts, with the reason; the files themselves are in the quarantine folder too.';
COMMENT ON COLUMN sales.rejected.rejected_id IS 'Key.';
COMMENT ON COLUMN sales.rejected.at IS 'When it first came.';
COMMENT ON COLUMN sales.rejected.terminal IS 'Inbox it came from.';
COMMENT ON COLUMN sales.rejected.file_name IS 'Name of the file.';
COMMENT ON COLUMN sales.rejected.size_bytes IS 'Size of the file.';
COMMENT ON COLUMN sales.rejected.sha256 IS 'SHA-256 of the file; the same bytes under the same name again add no row.';
COMMENT ON COLUMN sales.rejected.code IS 'Stable code: TRUNCATED, DUP_KEY, TYPE …';
COMMENT ON COLUMN sales.rejected.pointer IS 'JSON pointer to the fault; empty for the file as a whole.';
COMMENT ON COLUMN sales.rejected.detail IS 'The reason as a sentence.';
COMMENT ON COLUMN sales.rejected.raw IS 'The file; null when it is over the size limit.';

-- rejected_rejected_id_seq; Type: SEQUENCE; Schema: sales; Owner: tpv_owner
ALTER TABLE sales.rejected ALTER COLUMN rejected_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sales.rejected_rejected_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- terminal_tail; Type: TABLE; Schema: sales; Owner: tpv_owner
CREATE TABLE sales.terminal_tail (
    terminal text NOT NULL,
    receipt_id uuid NOT NULL,
    business_date date NOT NULL,
    receipt_number text NOT NULL,
    printed_at timestamp with time zone NOT NULL
);
COMMENT ON TABLE sales.terminal_tail IS 'The last receipt of each terminal. It shows whether the next one is a void ticket, and which of two equal hours is meant when clocks go back.';
COMMENT ON COLUMN sales.terminal_tail.terminal IS 'The terminal.';
COMMENT ON COLUMN sales.terminal_tail.receipt_id IS 'Its last receipt.';
COMMENT ON COLUMN sales.terminal_tail.business_date IS 'Business date of that receipt.';
COMMENT ON COLUMN sales.terminal_tail.receipt_number IS 'Number of that receipt.';
COMMENT ON COLUMN sales.terminal_tail.printed_at IS 'When that receipt was printed.';

-- audit; Type: TABLE; Schema: sec; Owner: tpv_owner
CREATE TABLE sec.audit (
    audit_id bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    event text NOT NULL,
    subject text NOT NULL,
    actor text DEFAULT SESSION_USER NOT NULL,
    detail text DEFAULT ''::text NOT NULL
);
COMMENT ON TABLE sec.audit IS 'Security events: files of unknown terminals, rows of senders that may not send them.';
COMMENT ON COLUMN sec.audit.audit_id IS 'Key.';
COMMENT ON COLUMN sec.audit.at IS 'When.';
COMMENT ON COLUMN sec.audit.event IS 'What happened, as a stable code: UNKNOWN_TERMINAL, WRONG_TERMINAL, FORGED_SENDER, ERASED, DRIFT_ACCEPTED.';
COMMENT ON COLUMN sec.audit.subject IS 'What it is about: a terminal, a document.';
COMMENT ON COLUMN sec.audit.actor IS 'The login that was used.';
COMMENT ON COLUMN sec.audit.detail IS 'A sentence.';

-- audit_audit_id_seq; Type: SEQUENCE; Schema: sec; Owner: tpv_owner
ALTER TABLE sec.audit ALTER COLUMN audit_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sec.audit_audit_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- awaited; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.awaited (
    node_id integer NOT NULL,
    seq bigint NOT NULL
);
COMMENT ON TABLE sync.awaited IS 'Operations that operations here name and that have not arrived yet. When one of them arrives, it has already been replaced. Usually empty.';
COMMENT ON COLUMN sync.awaited.node_id IS 'The node.';
COMMENT ON COLUMN sync.awaited.seq IS 'The number of its operation.';

-- beat_counter; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.beat_counter (
    node_id integer NOT NULL,
    beat bigint NOT NULL
);
COMMENT ON TABLE sync.beat_counter IS 'Numbers the heartbeats of this node, without gaps.';
COMMENT ON COLUMN sync.beat_counter.node_id IS 'This node.';
COMMENT ON COLUMN sync.beat_counter.beat IS 'The last number given.';

-- drift_drift_id_seq; Type: SEQUENCE; Schema: sync; Owner: tpv_owner
ALTER TABLE sync.drift ALTER COLUMN drift_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sync.drift_drift_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- duplicate; Type: VIEW; Schema: sync; Owner: tpv_owner
CREATE VIEW sync.duplicate WITH (security_invoker='true') AS
 SELECT d.table_name,
    d.kind,
    d.keys,
    d.shared
   FROM sync.duplicates() d(table_name, kind, keys, shared);
COMMENT ON VIEW sync.duplicate IS 'Rows with the same values where no two rows may share them, made at two nodes. sync.make_alias resolves it. Deleted rows and aliases are left out.';
COMMENT ON COLUMN sync.duplicate.table_name IS 'The table.';
COMMENT ON COLUMN sync.duplicate.kind IS 'The name of the rule, as in sync.track.';
COMMENT ON COLUMN sync.duplicate.keys IS 'The rows.';
COMMENT ON COLUMN sync.duplicate.shared IS 'The values that they share.';

-- erasure; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.erasure (
    erasure_id bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    actor text DEFAULT SESSION_USER NOT NULL,
    table_name text NOT NULL,
    key text NOT NULL,
    why text NOT NULL,
    CONSTRAINT erasure_why_check CHECK ((why <> ''::text))
);
COMMENT ON TABLE sync.erasure IS 'Rows that somebody at this node erased, with party.erase, and why. The reason holds no value of the row.';
COMMENT ON COLUMN sync.erasure.erasure_id IS 'Key.';
COMMENT ON COLUMN sync.erasure.at IS 'When.';
COMMENT ON COLUMN sync.erasure.actor IS 'The login that did it.';
COMMENT ON COLUMN sync.erasure.table_name IS 'The table.';
COMMENT ON COLUMN sync.erasure.key IS 'The key of the row.';
COMMENT ON COLUMN sync.erasure.why IS 'The reason.';

-- erasure_erasure_id_seq; Type: SEQUENCE; Schema: sync; Owner: tpv_owner
ALTER TABLE sync.erasure ALTER COLUMN erasure_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sync.erasure_erasure_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- hash_chain; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.hash_chain (
    node_id integer NOT NULL,
    chain text NOT NULL,
    head_seq bigint DEFAULT 0 NOT NULL,
    head_hash bytea DEFAULT decode(repeat('00'::text, 32), 'hex'::text) NOT NULL,
    head_hlc bigint DEFAULT 0 NOT NULL
);
COMMENT ON TABLE sync.hash_chain IS 'The head of each hash chain that this node writes. Whoever locks a row may continue that chain.';
COMMENT ON COLUMN sync.hash_chain.node_id IS 'This node.';
COMMENT ON COLUMN sync.hash_chain.chain IS 'The terminal; empty for the node''s own chain.';
COMMENT ON COLUMN sync.hash_chain.head_seq IS 'chain_seq of the last document; 0 when there is none.';
COMMENT ON COLUMN sync.hash_chain.head_hash IS 'Link hash of the last document.';
COMMENT ON COLUMN sync.hash_chain.head_hlc IS 'hlc of the last document.';

-- loosening; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.loosening (
    loosening_id bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    actor text DEFAULT SESSION_USER NOT NULL,
    table_name text NOT NULL,
    key uuid NOT NULL,
    column_name text NOT NULL,
    value text,
    why text NOT NULL,
    xact xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT loosening_why_check CHECK ((why <> ''::text))
);
COMMENT ON TABLE sync.loosening IS 'Each use of sync.loosen at this node: who gave a looser value to a column that otherwise only grows stricter, and why.';
COMMENT ON COLUMN sync.loosening.loosening_id IS 'Key.';
COMMENT ON COLUMN sync.loosening.at IS 'When.';
COMMENT ON COLUMN sync.loosening.actor IS 'The login that did it.';
COMMENT ON COLUMN sync.loosening.table_name IS 'The table.';
COMMENT ON COLUMN sync.loosening.key IS 'The key of the row.';
COMMENT ON COLUMN sync.loosening.column_name IS 'The column.';
COMMENT ON COLUMN sync.loosening.value IS 'The value that it was set to.';
COMMENT ON COLUMN sync.loosening.why IS 'The reason.';
COMMENT ON COLUMN sync.loosening.xact IS 'The transaction in which this is allowed.';

-- loosening_loosening_id_seq; Type: SEQUENCE; Schema: sync; Owner: tpv_owner
ALTER TABLE sync.loosening ALTER COLUMN loosening_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sync.loosening_loosening_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- outgoing_nth_seq; Type: SEQUENCE; Schema: sync; Owner: tpv_owner
ALTER TABLE sync.outgoing ALTER COLUMN nth ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sync.outgoing_nth_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- policy; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.policy (
    policy_id uuid NOT NULL,
    table_name text NOT NULL,
    column_name text NOT NULL,
    rule jsonb NOT NULL,
    deleted boolean DEFAULT false NOT NULL
);
COMMENT ON TABLE sync.policy IS 'Which value wins where two nodes wrote a column at the same time. Without a row: last_write, or central_wins where central decides.';
COMMENT ON COLUMN sync.policy.policy_id IS 'Key, derived from the table and the column by sync.policy_key, so that there is one policy for a column.';
COMMENT ON COLUMN sync.policy.table_name IS 'The table.';
COMMENT ON COLUMN sync.policy.column_name IS 'The column, or the group.';
COMMENT ON COLUMN sync.policy.rule IS '"last_write", "first_write", "central_wins", "owner_wins", "greatest", "least", "review", {"rule": "least", "order": [...]} or {"rule": "custom", "function": "schema.name"}.';
COMMENT ON COLUMN sync.policy.deleted IS 'Whether it was deleted. Then the column has no policy of its own any more. Rows are never removed.';

-- quarantine; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.quarantine (
    quarantine_id bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    node_id integer NOT NULL,
    doc_id uuid,
    business_date date,
    kind text NOT NULL,
    code text NOT NULL,
    detail text NOT NULL,
    resolved_at timestamp with time zone,
    seq bigint,
    key text,
    entire boolean DEFAULT false NOT NULL,
    refused jsonb
);
COMMENT ON TABLE sync.quarantine IS 'Documents that are stored and could not be projected, operations and rows of a snapshot that could not be applied, and rows that were refused; with the reason. They count in no report until they are done.';
COMMENT ON COLUMN sync.quarantine.quarantine_id IS 'Key.';
COMMENT ON COLUMN sync.quarantine.at IS 'When it was last tried.';
COMMENT ON COLUMN sync.quarantine.node_id IS 'The node that wrote it.';
COMMENT ON COLUMN sync.quarantine.doc_id IS 'The document, where it is one.';
COMMENT ON COLUMN sync.quarantine.business_date IS 'Its business date.';
COMMENT ON COLUMN sync.quarantine.kind IS 'The kind of a document; the table of an operation.';
COMMENT ON COLUMN sync.quarantine.code IS 'A stable code such as UNKNOWN_KIND, BAD_HASH or FORGED_SENDER, or the SQLSTATE that stopped it.';
COMMENT ON COLUMN sync.quarantine.detail IS 'A sentence.';
COMMENT ON COLUMN sync.quarantine.resolved_at IS 'When it was done after all, or dismissed; null while it waits.';
COMMENT ON COLUMN sync.quarantine.seq IS 'The number of the operation, where it is one.';
COMMENT ON COLUMN sync.quarantine.key IS 'The key of the row that the operation is about.';
COMMENT ON COLUMN sync.quarantine.entire IS 'Whether the whole row waits under the number of that operation, and not only the columns that it wrote.';
COMMENT ON COLUMN sync.quarantine.refused IS 'The row itself, where it was refused and not stored.';

-- quarantine_quarantine_id_seq; Type: SEQUENCE; Schema: sync; Owner: tpv_owner
ALTER TABLE sync.quarantine ALTER COLUMN quarantine_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sync.quarantine_quarantine_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- resolution; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.resolution (
    resolution_id bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    actor text DEFAULT SESSION_USER NOT NULL,
    table_name text NOT NULL,
    key text NOT NULL,
    column_name text NOT NULL,
    node_id integer NOT NULL,
    seq bigint NOT NULL,
    value jsonb NOT NULL
);
COMMENT ON TABLE sync.resolution IS 'Conflicts that a person resolved at this node, with sync.resolve_conflict.';
COMMENT ON COLUMN sync.resolution.resolution_id IS 'Key.';
COMMENT ON COLUMN sync.resolution.at IS 'When.';
COMMENT ON COLUMN sync.resolution.actor IS 'The login that did it.';
COMMENT ON COLUMN sync.resolution.table_name IS 'The table.';
COMMENT ON COLUMN sync.resolution.key IS 'Its key.';
COMMENT ON COLUMN sync.resolution.column_name IS 'The column, the group, or the element of a set.';
COMMENT ON COLUMN sync.resolution.node_id IS 'The node that had written the value.';
COMMENT ON COLUMN sync.resolution.seq IS 'The number of its operation.';
COMMENT ON COLUMN sync.resolution.value IS 'The value.';

-- resolution_resolution_id_seq; Type: SEQUENCE; Schema: sync; Owner: tpv_owner
ALTER TABLE sync.resolution ALTER COLUMN resolution_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sync.resolution_resolution_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- sibling; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.sibling (
    table_name text NOT NULL,
    key text NOT NULL,
    column_name text NOT NULL,
    node_id integer NOT NULL,
    seq bigint NOT NULL,
    hlc bigint NOT NULL,
    value jsonb,
    chosen boolean NOT NULL,
    review boolean NOT NULL,
    found_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
COMMENT ON TABLE sync.sibling IS 'Open conflicts: all values of a column that were written at the same time, until somebody who has seen them all writes it.';
COMMENT ON COLUMN sync.sibling.table_name IS 'The table.';
COMMENT ON COLUMN sync.sibling.key IS 'The key of the row.';
COMMENT ON COLUMN sync.sibling.column_name IS 'The column, or the group.';
COMMENT ON COLUMN sync.sibling.node_id IS 'The node that wrote this value.';
COMMENT ON COLUMN sync.sibling.seq IS 'The number of its operation.';
COMMENT ON COLUMN sync.sibling.hlc IS 'When it was written.';
COMMENT ON COLUMN sync.sibling.value IS 'The value.';
COMMENT ON COLUMN sync.sibling.chosen IS 'Whether the row has this value.';
COMMENT ON COLUMN sync.sibling.review IS 'Whether a person should look at it.';
COMMENT ON COLUMN sync.sibling.found_at IS 'When this node noticed.';

-- status; Type: VIEW; Schema: sync; Owner: tpv_owner
CREATE VIEW sync.status WITH (security_invoker='true') AS
 WITH peer AS (
         SELECT p.node_id,
            p.subscription_name,
            p.added_at,
            p.beat,
            p.beat_at,
            p.low_water,
            p.gap_beat,
            p.received_until,
            p.verified_until,
            p.verified_at,
            p.ops,
            p.chains,
            p.version,
            p.ahead_ms,
            n.node_code,
            n.kind,
            ( SELECT count(*) AS count
                   FROM sync.quarantine q
                  WHERE ((q.node_id = p.node_id) AND (q.resolved_at IS NULL))) AS quarantined,
            ( SELECT count(*) AS count
                   FROM sync.drift d
                  WHERE ((d.node_id = p.node_id) AND (d.resolved_at IS NULL))) AS drift,
            (EXISTS ( SELECT
                   FROM sync.drift d
                  WHERE ((d.node_id = p.node_id) AND (d.resolved_at IS NULL) AND (d.what = 'broken'::text)))) AS broken,
            (EXISTS ( SELECT
                   FROM sync.drift d
                  WHERE ((d.node_id = p.node_id) AND (d.resolved_at IS NULL) AND (d.what = 'restored'::text)))) AS restored,
            (EXISTS ( SELECT
                   FROM sync.snapshot l
                  WHERE ((l.node_id = p.node_id) AND (l.completed_at IS NOT NULL)))) AS copied
           FROM (sync.peer p
             JOIN org.node n ON ((n.node_id = p.node_id)))
        ), own AS (
         SELECT n.node_id,
            n.node_code
           FROM (sync.this_node t
             JOIN org.node n ON ((n.node_id = t.node_id)))
        ), known AS (
         SELECT COALESCE(jsonb_object_agg(k.node_id, k.seq), '{}'::jsonb) AS ops
           FROM sync.contiguous() k(node_id, seq)
        ), rows AS (
         SELECT p.node_code AS peer,
            'receives'::text AS direction,
                CASE
                    WHEN (s.oid IS NULL) THEN 'no subscription'::text
                    WHEN (NOT s.subenabled) THEN 'disabled'::text
                    WHEN (w.pid IS NULL) THEN 'not running'::text
                    WHEN (b.pid IS NOT NULL) THEN 'waiting for a lock'::text
                    WHEN ((p.kind = 'central'::text) AND (NOT p.copied)) THEN 'copying'::text
                    WHEN (p.received_until IS NULL) THEN 'comparing'::text
                    ELSE 'running'::text
                END AS state,
            NULL::bigint AS lag_bytes,
            ( SELECT (COALESCE(sum(GREATEST(((v.value)::bigint - COALESCE(((k.ops ->> v.key))::bigint, (0)::bigint)), (0)::bigint)), (0)::numeric))::bigint AS "coalesce"
                   FROM json_each_text((p.ops)::json) v(key, value)
                  WHERE ((p.kind = 'central'::text) OR (v.key = (p.node_id)::text))) AS lag_operations,
            NULL::text AS slot,
            NULL::bigint AS slot_safe_bytes,
            (now() - p.beat_at) AS silent_for,
            p.received_until,
            p.verified_until,
            p.drift,
            p.quarantined,
            p.ahead_ms,
            p.version,
            p.broken,
            p.restored,
            b.pid AS blocker
           FROM ((((peer p
             CROSS JOIN known k)
             LEFT JOIN pg_subscription s ON (((s.subname = p.subscription_name) AND (s.subdbid = ( SELECT d.oid
                   FROM pg_database d
                  WHERE (d.datname = current_database()))))))
             LEFT JOIN pg_stat_subscription w ON (((w.subid = s.oid) AND (w.relid IS NULL))))
             LEFT JOIN LATERAL ( SELECT (pg_blocking_pids(a.pid))[1] AS pid
                   FROM pg_stat_activity a
                  WHERE ((a.pid = w.pid) AND (a.wait_event_type = 'Lock'::text) AND (a.wait_event <> 'advisory'::text) AND (a.xact_start < (clock_timestamp() - '00:00:05'::interval)))) b ON (true))
        UNION ALL
         SELECT p.node_code,
            'sends'::text,
                CASE
                    WHEN (r_1.slot_name IS NULL) THEN 'no slot'::text
                    WHEN (r_1.wal_status = 'lost'::text) THEN 'slot lost'::text
                    WHEN (r_1.confirmed_flush_lsn > pg_current_wal_lsn()) THEN 'restored'::text
                    WHEN (NOT r_1.active) THEN 'not connected'::text
                    ELSE 'running'::text
                END AS "case",
            (pg_wal_lsn_diff(pg_current_wal_lsn(), r_1.confirmed_flush_lsn))::bigint AS pg_wal_lsn_diff,
            ( SELECT (COALESCE(sum(GREATEST(((v.value)::bigint - COALESCE((((p.ops)::jsonb ->> v.key))::bigint, (0)::bigint)), (0)::bigint)), (0)::numeric))::bigint AS "coalesce"
                   FROM jsonb_each_text(k.ops) v(key, value)
                  WHERE (((p.kind = 'central'::text) AND (v.key = (own.node_id)::text)) OR ((p.kind = 'store'::text) AND (v.key <> (p.node_id)::text)))) AS "coalesce",
            r_1.wal_status,
            r_1.safe_wal_size,
            (now() - p.beat_at),
            NULL::timestamp with time zone,
            NULL::timestamp with time zone,
            p.drift,
            p.quarantined,
            p.ahead_ms,
            p.version,
            p.broken,
            p.restored,
            NULL::integer
           FROM (((peer p
             CROSS JOIN own)
             CROSS JOIN known k)
             LEFT JOIN pg_replication_slots r_1 ON ((r_1.slot_name =
                CASE p.kind
                    WHEN 'central'::text THEN ('tpv_up_'::text || sync.name_part(own.node_code))
                    ELSE ('tpv_to_'::text || sync.name_part(p.node_code))
                END)))
        )
 SELECT r.peer,
    r.direction,
    r.state,
    r.lag_bytes,
    r.lag_operations,
    r.slot,
    r.slot_safe_bytes,
    r.silent_for,
    r.received_until,
    r.verified_until,
    r.drift,
    r.quarantined,
    r.ahead_ms,
    r.version,
        CASE
            WHEN (r.state = 'no subscription'::text) THEN 'the peer is known and not joined: run the rest of sync.join_plan'::text
            WHEN (r.state = 'disabled'::text) THEN 'somebody disabled it: alter subscription ... enable, when the reason is gone'::text
            WHEN (r.state = 'not running'::text) THEN 'its worker does not stay up: the server log says why; is the peer down, or the line?'::text
            WHEN (r.state = 'waiting for a lock'::text) THEN format('session %1$s keeps a row locked that is to be written here: let it end, or select pg_terminate_backend(%1$s)'::text, r.blocker)
            WHEN (r.state = 'no slot'::text) THEN 'the peer has no slot here, so it receives nothing: sync.rejoin_plan, or sync.join_plan if it never joined'::text
            WHEN (r.state = 'slot lost'::text) THEN 'the peer was away for too long: run sync.rejoin_plan'::text
            WHEN (r.state = 'restored'::text) THEN 'the peer has more WAL of this server than there is: one was restored from a backup. Run sync.rejoin_plan'::text
            WHEN (r.state = 'not connected'::text) THEN 'the peer does not fetch: is it down, or the line? WAL is kept for it meanwhile'::text
            WHEN (r.slot = ANY (ARRAY['extended'::text, 'unreserved'::text])) THEN 'its slot will soon be lost: get the peer to fetch, or raise max_slot_wal_keep_size'::text
            WHEN r.restored THEN 'this node has lost operations of its own and is getting them back: let nobody change what the chain shares until then'::text
            WHEN r.broken THEN 'a hash chain does not link: select * from sync.drift where resolved_at is null'::text
            WHEN (r.drift > 0) THEN 'rows are missing and were requested: sync.drift tells which; look again in a few minutes'::text
            WHEN (r.silent_for > '00:01:00'::interval) THEN 'no heartbeat for over a minute: is the peer''s background worker running?'::text
            WHEN (r.ahead_ms > 0) THEN 'the peer''s clock is too far ahead: correct it there, then tpv.hlc_step_back()'::text
            WHEN ((r.direction = 'receives'::text) AND (r.quarantined > 0)) THEN 'rows wait: select * from sync.quarantine where resolved_at is null'::text
            WHEN (r.state = 'copying'::text) THEN 'it has just joined: the snapshot of all tracked rows is on its way'::text
            WHEN (r.state = 'comparing'::text) THEN 'it has just joined: both are compared within a minute, or by select sync.reconcile()'::text
            WHEN (r.version <> ( SELECT e.extversion
               FROM pg_extension e
              WHERE (e.extname = 'pg_tpv'::name))) THEN 'the peer has another version of pg_tpv: upgrade the older one when it suits'::text
            ELSE 'nothing to do'::text
        END AS advice
   FROM rows r
  ORDER BY r.peer, r.direction;
COMMENT ON VIEW sync.status IS 'One row for each peer and direction: its state, how far behind, and in words what to do.';
COMMENT ON COLUMN sync.status.peer IS 'The other node.';
COMMENT ON COLUMN sync.status.direction IS 'receives: its rows come here. sends: ours go there.';
COMMENT ON COLUMN sync.status.state IS 'running, or what it is instead: disabled, slot lost, copying …';
COMMENT ON COLUMN sync.status.lag_bytes IS 'WAL that the peer has not confirmed.';
COMMENT ON COLUMN sync.status.lag_operations IS 'Operations that the sender had and the receiver lacked at the peer''s last heartbeat.';
COMMENT ON COLUMN sync.status.slot IS 'wal_status of the peer''s slot here: reserved is good, extended and unreserved are a warning, lost is lost.';
COMMENT ON COLUMN sync.status.slot_safe_bytes IS 'How much WAL can be written before the slot is in danger; null without max_slot_wal_keep_size.';
COMMENT ON COLUMN sync.status.silent_for IS 'Time since its last heartbeat.';
COMMENT ON COLUMN sync.status.received_until IS 'Everything that the peer recorded before this moment is here. Does not move while rows may be missing.';
COMMENT ON COLUMN sync.status.verified_until IS 'Everything that the peer recorded before this moment is here, and was compared with what it reports.';
COMMENT ON COLUMN sync.status.drift IS 'Differences from it that are not resolved: see sync.drift.';
COMMENT ON COLUMN sync.status.quarantined IS 'Its rows that wait in quarantine.';
COMMENT ON COLUMN sync.status.ahead_ms IS 'By how much its clock is too far ahead; 0 when it is not.';
COMMENT ON COLUMN sync.status.version IS 'Version of its extension.';
COMMENT ON COLUMN sync.status.advice IS 'What to do, in words.';

-- beat; Type: TABLE; Schema: wire; Owner: tpv_owner
CREATE TABLE wire.beat (
    node_id integer NOT NULL,
    beat bigint NOT NULL,
    hlc bigint NOT NULL,
    low_water timestamp with time zone NOT NULL,
    ops text NOT NULL,
    chains text NOT NULL,
    version text NOT NULL
);
COMMENT ON TABLE wire.beat IS 'Heartbeats of this node. At the receiver they are folded into sync.peer and not stored.';
COMMENT ON COLUMN wire.beat.node_id IS 'The node.';
COMMENT ON COLUMN wire.beat.beat IS 'Number of the heartbeat, without gaps.';
COMMENT ON COLUMN wire.beat.hlc IS 'When it was written, as in wire.doc.';
COMMENT ON COLUMN wire.beat.low_water IS 'Nothing that was recorded before this moment can still commit.';
COMMENT ON COLUMN wire.beat.ops IS 'JSON: for each node the number up to which its operations are here without a gap.';
COMMENT ON COLUMN wire.beat.chains IS 'JSON: the head of each hash chain that the node writes, as [chain_seq, hash, hlc].';
COMMENT ON COLUMN wire.beat.version IS 'Version of the extension.';

-- doc_default; Type: TABLE; Schema: wire; Owner: tpv_owner
CREATE TABLE wire.doc_default (
    node_id integer NOT NULL,
    doc_id uuid NOT NULL,
    business_date date NOT NULL,
    kind text NOT NULL,
    to_node integer,
    hlc bigint NOT NULL,
    schema_version integer NOT NULL,
    chain text NOT NULL,
    chain_seq bigint NOT NULL,
    prev_hash bytea NOT NULL,
    body text NOT NULL,
    content_hash bytea NOT NULL
);
COMMENT ON TABLE wire.doc_default IS 'Documents whose month has no partition yet. It should be empty.';

-- op_1; Type: TABLE; Schema: wire; Owner: tpv_owner
CREATE TABLE wire.op_1 (
    node_id integer NOT NULL,
    seq bigint NOT NULL,
    hlc bigint NOT NULL,
    table_name text NOT NULL,
    key text NOT NULL,
    patch text NOT NULL,
    base text NOT NULL
);
COMMENT ON TABLE wire.op_1 IS 'The first hundred million operations of each node.';
COMMENT ON COLUMN wire.op_1.node_id IS 'The node that decided.';
COMMENT ON COLUMN wire.op_1.seq IS 'Counts that node''s operations in commit order, without gaps.';
COMMENT ON COLUMN wire.op_1.hlc IS 'When, as in wire.doc. It orders only operations that were concurrent.';
COMMENT ON COLUMN wire.op_1.table_name IS 'The table, such as party.customer.';
COMMENT ON COLUMN wire.op_1.key IS 'The key of the row, as text.';
COMMENT ON COLUMN wire.op_1.patch IS 'Canonical JSON: the columns and groups that changed, with their values. @exists says whether the row exists.';
COMMENT ON COLUMN wire.op_1.base IS 'Canonical JSON: for each of them the versions [node, seq] that the writer saw.';

-- op_default; Type: TABLE; Schema: wire; Owner: tpv_owner
CREATE TABLE wire.op_default (
    node_id integer NOT NULL,
    seq bigint NOT NULL,
    hlc bigint NOT NULL,
    table_name text NOT NULL,
    key text NOT NULL,
    patch text NOT NULL,
    base text NOT NULL
);
COMMENT ON TABLE wire.op_default IS 'Operations beyond the other partitions. It should be empty.';
COMMENT ON COLUMN wire.op_default.node_id IS 'The node that decided.';
COMMENT ON COLUMN wire.op_default.seq IS 'Counts that node''s operations in commit order, without gaps.';
COMMENT ON COLUMN wire.op_default.hlc IS 'When, as in wire.doc. It orders only operations that were concurrent.';
COMMENT ON COLUMN wire.op_default.table_name IS 'The table, such as party.customer.';
COMMENT ON COLUMN wire.op_default.key IS 'The key of the row, as text.';
COMMENT ON COLUMN wire.op_default.patch IS 'Canonical JSON: the columns and groups that changed, with their values. @exists says whether the row exists.';
COMMENT ON COLUMN wire.op_default.base IS 'Canonical JSON: for each of them the versions [node, seq] that the writer saw.';

-- resend_resend_id_seq; Type: SEQUENCE; Schema: wire; Owner: tpv_owner
ALTER TABLE wire.resend ALTER COLUMN resend_id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME wire.resend_resend_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- doc_default; Type: TABLE ATTACH; Schema: wire; Owner: tpv_owner
ALTER TABLE ONLY wire.doc ATTACH PARTITION wire.doc_default DEFAULT;

-- op_1; Type: TABLE ATTACH; Schema: wire; Owner: tpv_owner
ALTER TABLE ONLY wire.op ATTACH PARTITION wire.op_1 FOR VALUES FROM (MINVALUE) TO ('100000000');

-- op_default; Type: TABLE ATTACH; Schema: wire; Owner: tpv_owner
ALTER TABLE ONLY wire.op ATTACH PARTITION wire.op_default DEFAULT;

-- barcode barcode_gtin14_key; Type: CONSTRAINT; Schema: catalog; Owner: tpv_owner
ALTER TABLE ONLY catalog.barcode
    ADD CONSTRAINT barcode_gtin14_key UNIQUE (gtin14);

-- barcode barcode_pkey; Type: CONSTRAINT; Schema: catalog; Owner: tpv_owner
ALTER TABLE ONLY catalog.barcode
    ADD CONSTRAINT barcode_pkey PRIMARY KEY (barcode_id);

-- barcode_rule barcode_rule_name_key; Type: CONSTRAINT; Schema: catalog; Owner: tpv_owner
ALTER TABLE ONLY catalog.barcode_rule
    ADD CONSTRAINT barcode_rule_name_key UNIQUE (name);

-- barcode_rule barcode_rule_pkey; Type: CONSTRAINT; Schema: catalog; Owner: tpv_owner
ALTER TABLE ONLY catalog.barcode_rule
    ADD CONSTRAINT barcode_rule_pkey PRIMARY KEY (barcode_rule_id);

-- price price_pkey; Type: CONSTRAINT; Schema: catalog; Owner: tpv_owner
ALTER TABLE ONLY catalog.price
    ADD CONSTRAINT price_pkey PRIMARY KEY (price_id);

-- product product_pkey; Type: CONSTRAINT; Schema: catalog; Owner: tpv_owner
ALTER TABLE ONLY catalog.product
    ADD CONSTRAINT product_pkey PRIMARY KEY (product_id);

-- product product_sku_key; Type: CONSTRAINT; Schema: catalog; Owner: tpv_owner
ALTER TABLE ONLY catalog.product
    ADD CONSTRAINT product_sku_key UNIQUE (sku);

-- tax tax_code_key; Type: CONSTRAINT; Schema: catalog; Owner: tpv_owner
ALTER TABLE ONLY catalog.tax
    ADD CONSTRAINT tax_code_key UNIQUE (code);

-- tax tax_pkey; Type: CONSTRAINT; Schema: catalog; Owner: tpv_owner
ALTER TABLE ONLY catalog.tax
    ADD CONSTRAINT tax_pkey PRIMARY KEY (tax_id);

-- file file_pkey; Type: CONSTRAINT; Schema: dat; Owner: tpv_owner
ALTER TABLE ONLY dat.file
    ADD CONSTRAINT file_pkey PRIMARY KEY (node_id, receipt_id);

-- pending pending_pkey; Type: CONSTRAINT; Schema: dat; Owner: tpv_owner
ALTER TABLE ONLY dat.pending
    ADD CONSTRAINT pending_pkey PRIMARY KEY (pending_id);

-- profile profile_node_id_department_code_version_key; Type: CONSTRAINT; Schema: dat; Owner: tpv_owner
ALTER TABLE ONLY dat.profile
    ADD CONSTRAINT profile_node_id_department_code_version_key UNIQUE NULLS NOT DISTINCT (node_id, department_code, version);

-- profile profile_pkey; Type: CONSTRAINT; Schema: dat; Owner: tpv_owner
ALTER TABLE ONLY dat.profile
    ADD CONSTRAINT profile_pkey PRIMARY KEY (profile_id);

-- superseded superseded_pkey; Type: CONSTRAINT; Schema: dat; Owner: tpv_owner
ALTER TABLE ONLY dat.superseded
    ADD CONSTRAINT superseded_pkey PRIMARY KEY (superseded_id);

-- department department_node_id_code_key; Type: CONSTRAINT; Schema: org; Owner: tpv_owner
ALTER TABLE ONLY org.department
    ADD CONSTRAINT department_node_id_code_key UNIQUE (node_id, code);

-- department department_pkey; Type: CONSTRAINT; Schema: org; Owner: tpv_owner
ALTER TABLE ONLY org.department
    ADD CONSTRAINT department_pkey PRIMARY KEY (department_id);

-- legal_entity legal_entity_pkey; Type: CONSTRAINT; Schema: org; Owner: tpv_owner
ALTER TABLE ONLY org.legal_entity
    ADD CONSTRAINT legal_entity_pkey PRIMARY KEY (legal_entity_id);

-- node node_node_code_key; Type: CONSTRAINT; Schema: org; Owner: tpv_owner
ALTER TABLE ONLY org.node
    ADD CONSTRAINT node_node_code_key UNIQUE (node_code);

-- node node_pkey; Type: CONSTRAINT; Schema: org; Owner: tpv_owner
ALTER TABLE ONLY org.node
    ADD CONSTRAINT node_pkey PRIMARY KEY (node_id);

-- store store_node_id_key; Type: CONSTRAINT; Schema: org; Owner: tpv_owner
ALTER TABLE ONLY org.store
    ADD CONSTRAINT store_node_id_key UNIQUE (node_id);

-- store store_pkey; Type: CONSTRAINT; Schema: org; Owner: tpv_owner
ALTER TABLE ONLY org.store
    ADD CONSTRAINT store_pkey PRIMARY KEY (store_id);

-- terminal terminal_node_id_code_key; Type: CONSTRAINT; Schema: org; Owner: tpv_owner
ALTER TABLE ONLY org.terminal
    ADD CONSTRAINT terminal_node_id_code_key UNIQUE (node_id, code);

-- terminal terminal_pkey; Type: CONSTRAINT; Schema: org; Owner: tpv_owner
ALTER TABLE ONLY org.terminal
    ADD CONSTRAINT terminal_pkey PRIMARY KEY (terminal_id);

-- customer customer_pkey; Type: CONSTRAINT; Schema: party; Owner: tpv_owner
ALTER TABLE ONLY party.customer
    ADD CONSTRAINT customer_pkey PRIMARY KEY (customer_id);

-- day_close day_close_pkey; Type: CONSTRAINT; Schema: sales; Owner: tpv_owner
ALTER TABLE ONLY sales.day_close
    ADD CONSTRAINT day_close_pkey PRIMARY KEY (node_id, business_date);

-- raw raw_pkey; Type: CONSTRAINT; Schema: sales; Owner: tpv_owner
ALTER TABLE ONLY sales.raw
    ADD CONSTRAINT raw_pkey PRIMARY KEY (raw_id);

-- receipt_event receipt_event_pkey; Type: CONSTRAINT; Schema: sales; Owner: tpv_owner
ALTER TABLE ONLY sales.receipt_event
    ADD CONSTRAINT receipt_event_pkey PRIMARY KEY (node_id, receipt_id, doc_node, doc_id);

-- receipt_key receipt_key_pkey; Type: CONSTRAINT; Schema: sales; Owner: tpv_owner
ALTER TABLE ONLY sales.receipt_key
    ADD CONSTRAINT receipt_key_pkey PRIMARY KEY (terminal, printed_date, series, receipt_number, variant);

-- receipt_line receipt_line_pkey; Type: CONSTRAINT; Schema: sales; Owner: tpv_owner
ALTER TABLE ONLY sales.receipt_line
    ADD CONSTRAINT receipt_line_pkey PRIMARY KEY (node_id, receipt_id, line_number);

-- receipt receipt_pkey; Type: CONSTRAINT; Schema: sales; Owner: tpv_owner
ALTER TABLE ONLY sales.receipt
    ADD CONSTRAINT receipt_pkey PRIMARY KEY (node_id, receipt_id);

-- rejected rejected_pkey; Type: CONSTRAINT; Schema: sales; Owner: tpv_owner
ALTER TABLE ONLY sales.rejected
    ADD CONSTRAINT rejected_pkey PRIMARY KEY (rejected_id);

-- rejected rejected_terminal_sha256_file_name_key; Type: CONSTRAINT; Schema: sales; Owner: tpv_owner
ALTER TABLE ONLY sales.rejected
    ADD CONSTRAINT rejected_terminal_sha256_file_name_key UNIQUE NULLS NOT DISTINCT (terminal, sha256, file_name);

-- terminal_tail terminal_tail_pkey; Type: CONSTRAINT; Schema: sales; Owner: tpv_owner
ALTER TABLE ONLY sales.terminal_tail
    ADD CONSTRAINT terminal_tail_pkey PRIMARY KEY (terminal);

-- audit audit_pkey; Type: CONSTRAINT; Schema: sec; Owner: tpv_owner
ALTER TABLE ONLY sec.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (audit_id);

-- awaited awaited_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.awaited
    ADD CONSTRAINT awaited_pkey PRIMARY KEY (node_id, seq);

-- beat_counter beat_counter_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.beat_counter
    ADD CONSTRAINT beat_counter_pkey PRIMARY KEY (node_id);

-- drift drift_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.drift
    ADD CONSTRAINT drift_pkey PRIMARY KEY (drift_id);

-- erasure erasure_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.erasure
    ADD CONSTRAINT erasure_pkey PRIMARY KEY (erasure_id);

-- hash_chain hash_chain_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.hash_chain
    ADD CONSTRAINT hash_chain_pkey PRIMARY KEY (node_id, chain);

-- head head_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.head
    ADD CONSTRAINT head_pkey PRIMARY KEY (table_name, key);

-- horizon horizon_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.horizon
    ADD CONSTRAINT horizon_pkey PRIMARY KEY (node_id);

-- loosening loosening_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.loosening
    ADD CONSTRAINT loosening_pkey PRIMARY KEY (loosening_id);

-- op_counter op_counter_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.op_counter
    ADD CONSTRAINT op_counter_pkey PRIMARY KEY (node_id);

-- outgoing outgoing_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.outgoing
    ADD CONSTRAINT outgoing_pkey PRIMARY KEY (nth);

-- peer peer_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.peer
    ADD CONSTRAINT peer_pkey PRIMARY KEY (node_id);

-- peer peer_subscription_name_key; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.peer
    ADD CONSTRAINT peer_subscription_name_key UNIQUE (subscription_name);

-- policy policy_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.policy
    ADD CONSTRAINT policy_pkey PRIMARY KEY (policy_id);

-- policy policy_table_name_column_name_key; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.policy
    ADD CONSTRAINT policy_table_name_column_name_key UNIQUE (table_name, column_name);

-- quarantine quarantine_node_id_doc_id_business_date_key; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.quarantine
    ADD CONSTRAINT quarantine_node_id_doc_id_business_date_key UNIQUE (node_id, doc_id, business_date);

-- quarantine quarantine_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.quarantine
    ADD CONSTRAINT quarantine_pkey PRIMARY KEY (quarantine_id);

-- request request_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.request
    ADD CONSTRAINT request_pkey PRIMARY KEY (node_id, what, subject);

-- resolution resolution_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.resolution
    ADD CONSTRAINT resolution_pkey PRIMARY KEY (resolution_id);

-- sibling sibling_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.sibling
    ADD CONSTRAINT sibling_pkey PRIMARY KEY (table_name, key, column_name, node_id, seq);

-- snapshot snapshot_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.snapshot
    ADD CONSTRAINT snapshot_pkey PRIMARY KEY (snapshot_id);

-- snapshot_row snapshot_row_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.snapshot_row
    ADD CONSTRAINT snapshot_row_pkey PRIMARY KEY (table_name, key, snapshot_id);

-- this_node this_node_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.this_node
    ADD CONSTRAINT this_node_pkey PRIMARY KEY (only_one);

-- tracked_table tracked_table_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.tracked_table
    ADD CONSTRAINT tracked_table_pkey PRIMARY KEY (table_name);

-- verified verified_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.verified
    ADD CONSTRAINT verified_pkey PRIMARY KEY (node_id, chain);

-- history history_pkey; Type: CONSTRAINT; Schema: tpv_migration; Owner: tpv_owner
ALTER TABLE ONLY tpv_migration.history
    ADD CONSTRAINT history_pkey PRIMARY KEY (version);

-- beat beat_pkey; Type: CONSTRAINT; Schema: wire; Owner: tpv_owner
ALTER TABLE ONLY wire.beat
    ADD CONSTRAINT beat_pkey PRIMARY KEY (node_id, beat);

-- doc doc_pkey; Type: CONSTRAINT; Schema: wire; Owner: tpv_owner
ALTER TABLE ONLY wire.doc
    ADD CONSTRAINT doc_pkey PRIMARY KEY (node_id, doc_id, business_date);

-- doc_default doc_default_pkey; Type: CONSTRAINT; Schema: wire; Owner: tpv_owner
ALTER TABLE ONLY wire.doc_default
    ADD CONSTRAINT doc_default_pkey PRIMARY KEY (node_id, doc_id, business_date);

-- op op_pkey; Type: CONSTRAINT; Schema: wire; Owner: tpv_owner
ALTER TABLE ONLY wire.op
    ADD CONSTRAINT op_pkey PRIMARY KEY (node_id, seq);

-- op_1 op_1_pkey; Type: CONSTRAINT; Schema: wire; Owner: tpv_owner
ALTER TABLE ONLY wire.op_1
    ADD CONSTRAINT op_1_pkey PRIMARY KEY (node_id, seq);

-- op_default op_default_pkey; Type: CONSTRAINT; Schema: wire; Owner: tpv_owner
ALTER TABLE ONLY wire.op_default
    ADD CONSTRAINT op_default_pkey PRIMARY KEY (node_id, seq);

-- resend resend_pkey; Type: CONSTRAINT; Schema: wire; Owner: tpv_owner
ALTER TABLE ONLY wire.resend
    ADD CONSTRAINT resend_pkey PRIMARY KEY (node_id, resend_id);

-- price_product; Type: INDEX; Schema: catalog; Owner: tpv_owner
CREATE INDEX price_product ON catalog.price USING btree (product_id, valid_from);

-- file_name; Type: INDEX; Schema: dat; Owner: tpv_owner
CREATE UNIQUE INDEX file_name ON dat.file USING btree (node_id, folder, lower(name));

-- pending_open; Type: INDEX; Schema: dat; Owner: tpv_owner
CREATE INDEX pending_open ON dat.pending USING btree (pending_id) WHERE (done_at IS NULL);

-- pending_receipt; Type: INDEX; Schema: dat; Owner: tpv_owner
CREATE INDEX pending_receipt ON dat.pending USING btree (receipt_id);

-- superseded_receipt; Type: INDEX; Schema: dat; Owner: tpv_owner
CREATE INDEX superseded_receipt ON dat.superseded USING btree (node_id, receipt_id);

-- customer_same_email; Type: INDEX; Schema: party; Owner: tpv_owner
CREATE INDEX customer_same_email ON party.customer USING btree (lower(email)) WHERE ((NOT deleted) AND (alias_of IS NULL));

-- raw_receipt; Type: INDEX; Schema: sales; Owner: tpv_owner
CREATE INDEX raw_receipt ON sales.raw USING btree (receipt_id);

-- receipt_business_date; Type: INDEX; Schema: sales; Owner: tpv_owner
CREATE INDEX receipt_business_date ON sales.receipt USING btree (business_date, node_id);

-- receipt_line_business_date; Type: INDEX; Schema: sales; Owner: tpv_owner
CREATE INDEX receipt_line_business_date ON sales.receipt_line USING brin (business_date);

-- drift_open; Type: INDEX; Schema: sync; Owner: tpv_owner
CREATE UNIQUE INDEX drift_open ON sync.drift USING btree (node_id, what, subject) WHERE (resolved_at IS NULL);

-- head_contested; Type: INDEX; Schema: sync; Owner: tpv_owner
CREATE INDEX head_contested ON sync.head USING btree (table_name, key) WHERE contested;

-- loosening_key; Type: INDEX; Schema: sync; Owner: tpv_owner
CREATE INDEX loosening_key ON sync.loosening USING btree (key);

-- quarantine_op; Type: INDEX; Schema: sync; Owner: tpv_owner
CREATE UNIQUE INDEX quarantine_op ON sync.quarantine USING btree (node_id, seq) WHERE (seq IS NOT NULL);

-- resolution_key; Type: INDEX; Schema: sync; Owner: tpv_owner
CREATE INDEX resolution_key ON sync.resolution USING btree (table_name, key);

-- snapshot_row_snapshot; Type: INDEX; Schema: sync; Owner: tpv_owner
CREATE INDEX snapshot_row_snapshot ON sync.snapshot_row USING btree (snapshot_id);

-- doc_chain; Type: INDEX; Schema: wire; Owner: tpv_owner
CREATE INDEX doc_chain ON ONLY wire.doc USING btree (node_id, chain, chain_seq);

-- doc_to_node; Type: INDEX; Schema: wire; Owner: tpv_owner
CREATE INDEX doc_to_node ON ONLY wire.doc USING btree (to_node) WHERE (to_node IS NOT NULL);

-- doc_default_node_id_chain_chain_seq_idx; Type: INDEX; Schema: wire; Owner: tpv_owner
CREATE INDEX doc_default_node_id_chain_chain_seq_idx ON wire.doc_default USING btree (node_id, chain, chain_seq);

-- doc_default_to_node_idx; Type: INDEX; Schema: wire; Owner: tpv_owner
CREATE INDEX doc_default_to_node_idx ON wire.doc_default USING btree (to_node) WHERE (to_node IS NOT NULL);

-- op_key; Type: INDEX; Schema: wire; Owner: tpv_owner
CREATE INDEX op_key ON ONLY wire.op USING btree (table_name, key);

-- op_1_table_name_key_idx; Type: INDEX; Schema: wire; Owner: tpv_owner
CREATE INDEX op_1_table_name_key_idx ON wire.op_1 USING btree (table_name, key);

-- op_default_table_name_key_idx; Type: INDEX; Schema: wire; Owner: tpv_owner
CREATE INDEX op_default_table_name_key_idx ON wire.op_default USING btree (table_name, key);

-- doc_default_node_id_chain_chain_seq_idx; Type: INDEX ATTACH; Schema: wire; Owner: tpv_owner
ALTER INDEX wire.doc_chain ATTACH PARTITION wire.doc_default_node_id_chain_chain_seq_idx;

-- doc_default_pkey; Type: INDEX ATTACH; Schema: wire; Owner: tpv_owner
ALTER INDEX wire.doc_pkey ATTACH PARTITION wire.doc_default_pkey;

-- doc_default_to_node_idx; Type: INDEX ATTACH; Schema: wire; Owner: tpv_owner
ALTER INDEX wire.doc_to_node ATTACH PARTITION wire.doc_default_to_node_idx;

-- op_1_pkey; Type: INDEX ATTACH; Schema: wire; Owner: tpv_owner
ALTER INDEX wire.op_pkey ATTACH PARTITION wire.op_1_pkey;

-- op_1_table_name_key_idx; Type: INDEX ATTACH; Schema: wire; Owner: tpv_owner
ALTER INDEX wire.op_key ATTACH PARTITION wire.op_1_table_name_key_idx;

-- op_default_pkey; Type: INDEX ATTACH; Schema: wire; Owner: tpv_owner
ALTER INDEX wire.op_pkey ATTACH PARTITION wire.op_default_pkey;

-- op_default_table_name_key_idx; Type: INDEX ATTACH; Schema: wire; Owner: tpv_owner
ALTER INDEX wire.op_key ATTACH PARTITION wire.op_default_table_name_key_idx;

-- barcode_rule _100_check; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _100_check BEFORE INSERT OR UPDATE ON catalog.barcode_rule FOR EACH ROW EXECUTE FUNCTION catalog.check_rule();

-- barcode _100_guard; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _100_guard BEFORE INSERT OR UPDATE ON catalog.barcode FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.guard();

-- price _100_guard; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _100_guard BEFORE INSERT OR UPDATE ON catalog.price FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.guard();

-- product _100_guard; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _100_guard BEFORE INSERT OR UPDATE ON catalog.product FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.guard();

-- tax _100_guard; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _100_guard BEFORE INSERT OR UPDATE ON catalog.tax FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.guard();

-- barcode _100_guard_delete; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _100_guard_delete BEFORE DELETE ON catalog.barcode FOR EACH ROW EXECUTE FUNCTION sync.guard();

-- price _100_guard_delete; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _100_guard_delete BEFORE DELETE ON catalog.price FOR EACH ROW EXECUTE FUNCTION sync.guard();

-- product _100_guard_delete; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _100_guard_delete BEFORE DELETE ON catalog.product FOR EACH ROW EXECUTE FUNCTION sync.guard();

-- tax _100_guard_delete; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _100_guard_delete BEFORE DELETE ON catalog.tax FOR EACH ROW EXECUTE FUNCTION sync.guard();

-- barcode _100_guard_truncate; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _100_guard_truncate BEFORE TRUNCATE ON catalog.barcode FOR EACH STATEMENT EXECUTE FUNCTION sync.guard();

-- price _100_guard_truncate; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _100_guard_truncate BEFORE TRUNCATE ON catalog.price FOR EACH STATEMENT EXECUTE FUNCTION sync.guard();

-- product _100_guard_truncate; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _100_guard_truncate BEFORE TRUNCATE ON catalog.product FOR EACH STATEMENT EXECUTE FUNCTION sync.guard();

-- tax _100_guard_truncate; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _100_guard_truncate BEFORE TRUNCATE ON catalog.tax FOR EACH STATEMENT EXECUTE FUNCTION sync.guard();

-- barcode _900_capture; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE CONSTRAINT TRIGGER _900_capture AFTER INSERT OR UPDATE ON catalog.barcode DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.capture();

-- price _900_capture; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE CONSTRAINT TRIGGER _900_capture AFTER INSERT OR UPDATE ON catalog.price DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.capture();

-- product _900_capture; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE CONSTRAINT TRIGGER _900_capture AFTER INSERT OR UPDATE ON catalog.product DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.capture();

-- tax _900_capture; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE CONSTRAINT TRIGGER _900_capture AFTER INSERT OR UPDATE ON catalog.tax DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.capture();

-- profile _100_guard; Type: TRIGGER; Schema: dat; Owner: tpv_owner
CREATE TRIGGER _100_guard BEFORE INSERT OR UPDATE ON dat.profile FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.guard();

-- profile _100_guard_delete; Type: TRIGGER; Schema: dat; Owner: tpv_owner
CREATE TRIGGER _100_guard_delete BEFORE DELETE ON dat.profile FOR EACH ROW EXECUTE FUNCTION sync.guard();

-- profile _100_guard_truncate; Type: TRIGGER; Schema: dat; Owner: tpv_owner
CREATE TRIGGER _100_guard_truncate BEFORE TRUNCATE ON dat.profile FOR EACH STATEMENT EXECUTE FUNCTION sync.guard();

-- profile _900_capture; Type: TRIGGER; Schema: dat; Owner: tpv_owner
CREATE CONSTRAINT TRIGGER _900_capture AFTER INSERT OR UPDATE ON dat.profile DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.capture();

-- node _000_forget; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE TRIGGER _000_forget AFTER INSERT OR DELETE OR UPDATE ON org.node FOR EACH ROW EXECUTE FUNCTION tpv.forget_rules();
ALTER TABLE org.node ENABLE ALWAYS TRIGGER _000_forget;

-- department _100_guard; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE TRIGGER _100_guard BEFORE INSERT OR UPDATE ON org.department FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.guard();

-- legal_entity _100_guard; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE TRIGGER _100_guard BEFORE INSERT OR UPDATE ON org.legal_entity FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.guard();

-- store _100_guard; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE TRIGGER _100_guard BEFORE INSERT OR UPDATE ON org.store FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.guard();

-- terminal _100_guard; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE TRIGGER _100_guard BEFORE INSERT OR UPDATE ON org.terminal FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.guard();

-- department _100_guard_delete; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE TRIGGER _100_guard_delete BEFORE DELETE ON org.department FOR EACH ROW EXECUTE FUNCTION sync.guard();

-- legal_entity _100_guard_delete; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE TRIGGER _100_guard_delete BEFORE DELETE ON org.legal_entity FOR EACH ROW EXECUTE FUNCTION sync.guard();

-- store _100_guard_delete; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE TRIGGER _100_guard_delete BEFORE DELETE ON org.store FOR EACH ROW EXECUTE FUNCTION sync.guard();

-- terminal _100_guard_delete; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE TRIGGER _100_guard_delete BEFORE DELETE ON org.terminal FOR EACH ROW EXECUTE FUNCTION sync.guard();

-- department _100_guard_truncate; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE TRIGGER _100_guard_truncate BEFORE TRUNCATE ON org.department FOR EACH STATEMENT EXECUTE FUNCTION sync.guard();

-- legal_entity _100_guard_truncate; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE TRIGGER _100_guard_truncate BEFORE TRUNCATE ON org.legal_entity FOR EACH STATEMENT EXECUTE FUNCTION sync.guard();

-- store _100_guard_truncate; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE TRIGGER _100_guard_truncate BEFORE TRUNCATE ON org.store FOR EACH STATEMENT EXECUTE FUNCTION sync.guard();

-- terminal _100_guard_truncate; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE TRIGGER _100_guard_truncate BEFORE TRUNCATE ON org.terminal FOR EACH STATEMENT EXECUTE FUNCTION sync.guard();

-- department _900_capture; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE CONSTRAINT TRIGGER _900_capture AFTER INSERT OR UPDATE ON org.department DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.capture();

-- legal_entity _900_capture; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE CONSTRAINT TRIGGER _900_capture AFTER INSERT OR UPDATE ON org.legal_entity DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.capture();

-- store _900_capture; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE CONSTRAINT TRIGGER _900_capture AFTER INSERT OR UPDATE ON org.store DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.capture();

-- terminal _900_capture; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE CONSTRAINT TRIGGER _900_capture AFTER INSERT OR UPDATE ON org.terminal DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.capture();

-- customer _100_guard_delete; Type: TRIGGER; Schema: party; Owner: tpv_owner
CREATE TRIGGER _100_guard_delete BEFORE DELETE ON party.customer FOR EACH ROW EXECUTE FUNCTION sync.guard();

-- customer _100_guard_truncate; Type: TRIGGER; Schema: party; Owner: tpv_owner
CREATE TRIGGER _100_guard_truncate BEFORE TRUNCATE ON party.customer FOR EACH STATEMENT EXECUTE FUNCTION sync.guard();

-- customer _200_check; Type: TRIGGER; Schema: party; Owner: tpv_owner
CREATE TRIGGER _200_check BEFORE INSERT OR UPDATE ON party.customer FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.check_row();

-- customer _900_capture; Type: TRIGGER; Schema: party; Owner: tpv_owner
CREATE CONSTRAINT TRIGGER _900_capture AFTER INSERT OR UPDATE ON party.customer DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.capture();

-- policy _000_forget; Type: TRIGGER; Schema: sync; Owner: tpv_owner
CREATE TRIGGER _000_forget AFTER INSERT OR DELETE OR UPDATE ON sync.policy FOR EACH ROW EXECUTE FUNCTION tpv.forget_rules();
ALTER TABLE sync.policy ENABLE ALWAYS TRIGGER _000_forget;

-- tracked_table _000_forget; Type: TRIGGER; Schema: sync; Owner: tpv_owner
CREATE TRIGGER _000_forget AFTER INSERT OR DELETE OR UPDATE ON sync.tracked_table FOR EACH ROW EXECUTE FUNCTION tpv.forget_rules();
ALTER TABLE sync.tracked_table ENABLE ALWAYS TRIGGER _000_forget;

-- policy _000_lock; Type: TRIGGER; Schema: sync; Owner: tpv_owner
CREATE TRIGGER _000_lock BEFORE INSERT OR UPDATE ON sync.policy FOR EACH STATEMENT EXECUTE FUNCTION sync.lock_policies();

-- policy _100_guard; Type: TRIGGER; Schema: sync; Owner: tpv_owner
CREATE TRIGGER _100_guard BEFORE INSERT OR UPDATE ON sync.policy FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.guard();

-- policy _100_guard_delete; Type: TRIGGER; Schema: sync; Owner: tpv_owner
CREATE TRIGGER _100_guard_delete BEFORE DELETE ON sync.policy FOR EACH ROW EXECUTE FUNCTION sync.guard();

-- policy _100_guard_truncate; Type: TRIGGER; Schema: sync; Owner: tpv_owner
CREATE TRIGGER _100_guard_truncate BEFORE TRUNCATE ON sync.policy FOR EACH STATEMENT EXECUTE FUNCTION sync.guard();

-- policy _300_check; Type: TRIGGER; Schema: sync; Owner: tpv_owner
CREATE TRIGGER _300_check BEFORE INSERT OR UPDATE ON sync.policy FOR EACH ROW EXECUTE FUNCTION sync.check_policy();

-- policy _900_capture; Type: TRIGGER; Schema: sync; Owner: tpv_owner
CREATE CONSTRAINT TRIGGER _900_capture AFTER INSERT OR UPDATE ON sync.policy DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.capture();

-- erasure _900_capture_erasure; Type: TRIGGER; Schema: sync; Owner: tpv_owner
CREATE CONSTRAINT TRIGGER _900_capture_erasure AFTER INSERT ON sync.erasure DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION sync.capture_erasure();

-- resolution _900_capture_resolution; Type: TRIGGER; Schema: sync; Owner: tpv_owner
CREATE CONSTRAINT TRIGGER _900_capture_resolution AFTER INSERT ON sync.resolution DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION sync.capture_resolution();

-- policy _910_choose; Type: TRIGGER; Schema: sync; Owner: tpv_owner
CREATE TRIGGER _910_choose AFTER INSERT OR UPDATE ON sync.policy FOR EACH ROW EXECUTE FUNCTION sync.policy_changed();
ALTER TABLE sync.policy ENABLE ALWAYS TRIGGER _910_choose;

-- beat _100_receive; Type: TRIGGER; Schema: wire; Owner: tpv_owner
CREATE TRIGGER _100_receive BEFORE INSERT ON wire.beat FOR EACH ROW EXECUTE FUNCTION tpv.receive_beat();
ALTER TABLE wire.beat ENABLE ALWAYS TRIGGER _100_receive;

-- doc _100_receive; Type: TRIGGER; Schema: wire; Owner: tpv_owner
CREATE TRIGGER _100_receive BEFORE INSERT ON wire.doc FOR EACH ROW EXECUTE FUNCTION tpv.receive_document();
ALTER TABLE wire.doc ENABLE ALWAYS TRIGGER _100_receive;

-- op _100_receive; Type: TRIGGER; Schema: wire; Owner: tpv_owner
CREATE TRIGGER _100_receive BEFORE INSERT ON wire.op FOR EACH ROW EXECUTE FUNCTION tpv.receive_operation();
ALTER TABLE wire.op ENABLE ALWAYS TRIGGER _100_receive;

-- resend _100_receive; Type: TRIGGER; Schema: wire; Owner: tpv_owner
CREATE TRIGGER _100_receive BEFORE INSERT ON wire.resend FOR EACH ROW EXECUTE FUNCTION tpv.receive_resend();
ALTER TABLE wire.resend ENABLE ALWAYS TRIGGER _100_receive;

-- doc _900_refuse; Type: TRIGGER; Schema: wire; Owner: tpv_owner
CREATE TRIGGER _900_refuse BEFORE DELETE OR UPDATE ON wire.doc FOR EACH ROW EXECUTE FUNCTION tpv.refuse_change();
ALTER TABLE wire.doc ENABLE ALWAYS TRIGGER _900_refuse;

-- op _900_refuse; Type: TRIGGER; Schema: wire; Owner: tpv_owner
CREATE TRIGGER _900_refuse BEFORE DELETE OR UPDATE ON wire.op FOR EACH ROW EXECUTE FUNCTION tpv.refuse_change();
ALTER TABLE wire.op ENABLE ALWAYS TRIGGER _900_refuse;

-- doc _900_refuse_truncate; Type: TRIGGER; Schema: wire; Owner: tpv_owner
CREATE TRIGGER _900_refuse_truncate BEFORE TRUNCATE ON wire.doc FOR EACH STATEMENT EXECUTE FUNCTION tpv.refuse_change();
ALTER TABLE wire.doc ENABLE ALWAYS TRIGGER _900_refuse_truncate;

-- doc_default _900_refuse_truncate; Type: TRIGGER; Schema: wire; Owner: tpv_owner
CREATE TRIGGER _900_refuse_truncate BEFORE TRUNCATE ON wire.doc_default FOR EACH STATEMENT EXECUTE FUNCTION tpv.refuse_change();
ALTER TABLE wire.doc_default ENABLE ALWAYS TRIGGER _900_refuse_truncate;

-- op _900_refuse_truncate; Type: TRIGGER; Schema: wire; Owner: tpv_owner
CREATE TRIGGER _900_refuse_truncate BEFORE TRUNCATE ON wire.op FOR EACH STATEMENT EXECUTE FUNCTION tpv.refuse_change();
ALTER TABLE wire.op ENABLE ALWAYS TRIGGER _900_refuse_truncate;

-- op_1 _900_refuse_truncate; Type: TRIGGER; Schema: wire; Owner: tpv_owner
CREATE TRIGGER _900_refuse_truncate BEFORE TRUNCATE ON wire.op_1 FOR EACH STATEMENT EXECUTE FUNCTION tpv.refuse_change();
ALTER TABLE wire.op_1 ENABLE ALWAYS TRIGGER _900_refuse_truncate;

-- op_default _900_refuse_truncate; Type: TRIGGER; Schema: wire; Owner: tpv_owner
CREATE TRIGGER _900_refuse_truncate BEFORE TRUNCATE ON wire.op_default FOR EACH STATEMENT EXECUTE FUNCTION tpv.refuse_change();
ALTER TABLE wire.op_default ENABLE ALWAYS TRIGGER _900_refuse_truncate;

-- barcode barcode_product_id_fkey; Type: FK CONSTRAINT; Schema: catalog; Owner: tpv_owner
ALTER TABLE ONLY catalog.barcode
    ADD CONSTRAINT barcode_product_id_fkey FOREIGN KEY (product_id) REFERENCES catalog.product(product_id);

-- barcode_rule barcode_rule_node_id_fkey; Type: FK CONSTRAINT; Schema: catalog; Owner: tpv_owner
ALTER TABLE ONLY catalog.barcode_rule
    ADD CONSTRAINT barcode_rule_node_id_fkey FOREIGN KEY (node_id) REFERENCES org.store(node_id);

-- price price_product_id_fkey; Type: FK CONSTRAINT; Schema: catalog; Owner: tpv_owner
ALTER TABLE ONLY catalog.price
    ADD CONSTRAINT price_product_id_fkey FOREIGN KEY (product_id) REFERENCES catalog.product(product_id);

-- product product_tax_id_fkey; Type: FK CONSTRAINT; Schema: catalog; Owner: tpv_owner
ALTER TABLE ONLY catalog.product
    ADD CONSTRAINT product_tax_id_fkey FOREIGN KEY (tax_id) REFERENCES catalog.tax(tax_id);

-- profile profile_node_id_department_code_fkey; Type: FK CONSTRAINT; Schema: dat; Owner: tpv_owner
ALTER TABLE ONLY dat.profile
    ADD CONSTRAINT profile_node_id_department_code_fkey FOREIGN KEY (node_id, department_code) REFERENCES org.department(node_id, code);

-- profile profile_node_id_fkey; Type: FK CONSTRAINT; Schema: dat; Owner: tpv_owner
ALTER TABLE ONLY dat.profile
    ADD CONSTRAINT profile_node_id_fkey FOREIGN KEY (node_id) REFERENCES org.store(node_id);

-- department department_legal_entity_id_fkey; Type: FK CONSTRAINT; Schema: org; Owner: tpv_owner
ALTER TABLE ONLY org.department
    ADD CONSTRAINT department_legal_entity_id_fkey FOREIGN KEY (legal_entity_id) REFERENCES org.legal_entity(legal_entity_id);

-- department department_node_id_fkey; Type: FK CONSTRAINT; Schema: org; Owner: tpv_owner
ALTER TABLE ONLY org.department
    ADD CONSTRAINT department_node_id_fkey FOREIGN KEY (node_id) REFERENCES org.store(node_id);

-- store store_legal_entity_id_fkey; Type: FK CONSTRAINT; Schema: org; Owner: tpv_owner
ALTER TABLE ONLY org.store
    ADD CONSTRAINT store_legal_entity_id_fkey FOREIGN KEY (legal_entity_id) REFERENCES org.legal_entity(legal_entity_id);

-- terminal terminal_node_id_department_code_fkey; Type: FK CONSTRAINT; Schema: org; Owner: tpv_owner
ALTER TABLE ONLY org.terminal
    ADD CONSTRAINT terminal_node_id_department_code_fkey FOREIGN KEY (node_id, department_code) REFERENCES org.department(node_id, code);

-- peer peer_node_id_fkey; Type: FK CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.peer
    ADD CONSTRAINT peer_node_id_fkey FOREIGN KEY (node_id) REFERENCES org.node(node_id);

-- policy policy_table_name_fkey; Type: FK CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.policy
    ADD CONSTRAINT policy_table_name_fkey FOREIGN KEY (table_name) REFERENCES sync.tracked_table(table_name);

-- snapshot_row snapshot_row_snapshot_id_fkey; Type: FK CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.snapshot_row
    ADD CONSTRAINT snapshot_row_snapshot_id_fkey FOREIGN KEY (snapshot_id) REFERENCES sync.snapshot(snapshot_id);

-- this_node this_node_node_id_fkey; Type: FK CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.this_node
    ADD CONSTRAINT this_node_node_id_fkey FOREIGN KEY (node_id) REFERENCES org.node(node_id);
GRANT USAGE ON SCHEMA catalog TO tpv_operator;
GRANT USAGE ON SCHEMA catalog TO tpv_analyst;
GRANT USAGE ON SCHEMA catalog TO tpv_apply;
GRANT USAGE ON SCHEMA cron TO tpv_owner WITH GRANT OPTION;
SET SESSION AUTHORIZATION tpv_owner;
GRANT USAGE ON SCHEMA cron TO tpv_cron;
RESET SESSION AUTHORIZATION;
GRANT USAGE ON SCHEMA dat TO tpv_operator;
GRANT USAGE ON SCHEMA dat TO tpv_analyst;
GRANT USAGE ON SCHEMA dat TO tpv_watcher;
GRANT USAGE ON SCHEMA dat TO tpv_apply;
GRANT USAGE ON SCHEMA org TO tpv_operator;
GRANT USAGE ON SCHEMA org TO tpv_analyst;
GRANT USAGE ON SCHEMA org TO tpv_apply;
GRANT USAGE ON SCHEMA party TO tpv_operator;
GRANT USAGE ON SCHEMA party TO tpv_apply;
GRANT USAGE ON SCHEMA sales TO tpv_operator;
GRANT USAGE ON SCHEMA sales TO tpv_analyst;
GRANT USAGE ON SCHEMA sales TO tpv_watcher;
GRANT USAGE ON SCHEMA sales TO tpv_apply;
GRANT USAGE ON SCHEMA sec TO tpv_operator;
GRANT USAGE ON SCHEMA sec TO tpv_apply;
GRANT USAGE ON SCHEMA sync TO tpv_operator;
GRANT USAGE ON SCHEMA sync TO tpv_analyst;
GRANT USAGE ON SCHEMA sync TO tpv_cron;
GRANT USAGE ON SCHEMA sync TO tpv_apply;
GRANT USAGE ON SCHEMA tpv TO tpv_owner WITH GRANT OPTION;
SET SESSION AUTHORIZATION tpv_owner;
GRANT USAGE ON SCHEMA tpv TO tpv_operator;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION tpv_owner;
GRANT USAGE ON SCHEMA tpv TO tpv_apply;
RESET SESSION AUTHORIZATION;
GRANT USAGE ON SCHEMA wire TO tpv_operator;
GRANT USAGE ON SCHEMA wire TO tpv_analyst;
GRANT USAGE ON SCHEMA wire TO tpv_cron;
GRANT USAGE ON SCHEMA wire TO tpv_apply;
GRANT USAGE ON SCHEMA wire TO tpv_replicator;
REVOKE ALL ON FUNCTION catalog.barcode_rules(node_id integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION catalog.check_rule() FROM PUBLIC;
REVOKE ALL ON FUNCTION tpv.uuid7() FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.uuid7() TO tpv_owner WITH GRANT OPTION;
SET SESSION AUTHORIZATION tpv_owner;
GRANT ALL ON FUNCTION tpv.uuid7() TO tpv_operator;
RESET SESSION AUTHORIZATION;
GRANT SELECT ON TABLE catalog.barcode_rule TO tpv_operator;
GRANT SELECT ON TABLE catalog.barcode_rule TO tpv_analyst;
REVOKE ALL ON FUNCTION catalog.rule_as_json(r catalog.barcode_rule) FROM PUBLIC;
REVOKE ALL ON FUNCTION dat.pending_ack(pending_id bigint, result text, detail text) FROM PUBLIC;
GRANT ALL ON FUNCTION dat.pending_ack(pending_id bigint, result text, detail text) TO tpv_watcher;
REVOKE ALL ON FUNCTION dat.pending_list(max_rows integer) FROM PUBLIC;
GRANT ALL ON FUNCTION dat.pending_list(max_rows integer) TO tpv_watcher;
REVOKE ALL ON FUNCTION dat.pending_take(pending_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION dat.pending_take(pending_id bigint) TO tpv_watcher;
REVOKE ALL ON FUNCTION dat.render_again(receipt_id uuid, why text) FROM PUBLIC;
GRANT ALL ON FUNCTION dat.render_again(receipt_id uuid, why text) TO tpv_operator;
REVOKE ALL ON FUNCTION dat.save_profile(profile jsonb, department_code text, node_id integer) FROM PUBLIC;
GRANT ALL ON FUNCTION dat.save_profile(profile jsonb, department_code text, node_id integer) TO tpv_operator;
REVOKE ALL ON FUNCTION dat.staged(dat_folder text, dat_name text, sha256 bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION dat.staged(dat_folder text, dat_name text, sha256 bytea) TO tpv_watcher;
REVOKE ALL ON FUNCTION dat.withdraw(receipt_id uuid, why text) FROM PUBLIC;
GRANT ALL ON FUNCTION dat.withdraw(receipt_id uuid, why text) TO tpv_operator;
REVOKE ALL ON FUNCTION org.register_central(node_id integer, node_code text) FROM PUBLIC;
REVOKE ALL ON FUNCTION org.register_department(code text, name text, concessionaire text, node_id integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION org.register_store(node_id integer, node_code text, name text, timezone text, cutoff_hour integer, currency text) FROM PUBLIC;
REVOKE ALL ON FUNCTION org.register_terminal(code text, department_code text, declares jsonb, node_id integer) FROM PUBLIC;
GRANT SELECT ON TABLE sync.this_node TO tpv_operator;
GRANT SELECT ON TABLE sync.this_node TO tpv_analyst;
GRANT SELECT ON TABLE sync.this_node TO tpv_apply;
REVOKE ALL ON FUNCTION org.this_node() FROM PUBLIC;
REVOKE ALL ON FUNCTION party.erase(customer uuid, why text) FROM PUBLIC;
GRANT ALL ON FUNCTION party.erase(customer uuid, why text) TO tpv_operator;
REVOKE ALL ON FUNCTION sales.close_day(business_date date, why text) FROM PUBLIC;
GRANT ALL ON FUNCTION sales.close_day(business_date date, why text) TO tpv_operator;
REVOKE ALL ON FUNCTION sales.ingest_batch(terminal text, files bytea[]) FROM PUBLIC;
GRANT ALL ON FUNCTION sales.ingest_batch(terminal text, files bytea[]) TO tpv_watcher;
REVOKE ALL ON FUNCTION sales.ingest_files(terminal text, files bytea[], names text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION sales.ingest_files(terminal text, files bytea[], names text[]) TO tpv_watcher;
REVOKE ALL ON FUNCTION sales.rebuild_projections() FROM PUBLIC;
REVOKE ALL ON FUNCTION sales.record_rejection(terminal text, file_name text, size_bytes bigint, sha256 bytea, code text, detail text, raw bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION sales.record_rejection(terminal text, file_name text, size_bytes bigint, sha256 bytea, code text, detail text, raw bytea) TO tpv_watcher;
REVOKE ALL ON FUNCTION sales.release(receipt_id uuid, why text, file_name text) FROM PUBLIC;
GRANT ALL ON FUNCTION sales.release(receipt_id uuid, why text, file_name text) TO tpv_operator;
REVOKE ALL ON FUNCTION sales.void(receipt_id uuid, why text) FROM PUBLIC;
GRANT ALL ON FUNCTION sales.void(receipt_id uuid, why text) TO tpv_operator;
REVOKE ALL ON FUNCTION sync.accept_drift(drift_id bigint, why text) FROM PUBLIC;
GRANT ALL ON FUNCTION sync.accept_drift(drift_id bigint, why text) TO tpv_operator;
REVOKE ALL ON FUNCTION sync.add_peer(node_id integer, node_code text, kind text, extension text, schema integer) FROM PUBLIC;
GRANT SELECT ON TABLE sync.op_counter TO tpv_apply;
REVOKE ALL ON FUNCTION sync.advance_op_counter(seq bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION sync.advance_op_counter(seq bigint) TO tpv_apply;
GRANT SELECT,INSERT ON TABLE wire.op TO tpv_apply;
GRANT SELECT ON TABLE wire.op TO tpv_operator;
GRANT SELECT ON TABLE wire.op TO tpv_replicator;
GRANT SELECT(node_id) ON TABLE wire.op TO tpv_analyst;
GRANT SELECT(seq) ON TABLE wire.op TO tpv_analyst;
GRANT SELECT(hlc) ON TABLE wire.op TO tpv_analyst;
GRANT SELECT(table_name) ON TABLE wire.op TO tpv_analyst;
REVOKE ALL ON FUNCTION sync.blank_operation(node_id integer, seq bigint, patch text, base text) FROM PUBLIC;
GRANT ALL ON FUNCTION sync.blank_operation(node_id integer, seq bigint, patch text, base text) TO tpv_apply;
REVOKE ALL ON FUNCTION sync.blank_records(table_name text, key text, is_new boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION sync.blank_records(table_name text, key text, is_new boolean) TO tpv_apply;
REVOKE ALL ON FUNCTION sync.canonical_key(table_name text, key uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION sync.canonical_key(table_name text, key uuid) TO tpv_operator;
REVOKE ALL ON FUNCTION sync.capture() FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.capture_erasure() FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.capture_resolution() FROM PUBLIC;
GRANT SELECT ON TABLE sync.tracked_table TO tpv_operator;
GRANT SELECT ON TABLE sync.tracked_table TO tpv_analyst;
GRANT SELECT ON TABLE sync.tracked_table TO tpv_apply;
REVOKE ALL ON FUNCTION sync.check_alias(tracked sync.tracked_table, key uuid, before jsonb, image jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.check_duplicate(tracked sync.tracked_table, key uuid, before jsonb, image jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.check_policy() FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.check_row() FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.check_sets(tracked sync.tracked_table, before jsonb, image jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.check_stricter(tracked sync.tracked_table, key uuid, before jsonb, image jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.check_table(relation regclass, rules jsonb) FROM PUBLIC;
GRANT SELECT ON TABLE sync.horizon TO tpv_operator;
GRANT SELECT ON TABLE sync.horizon TO tpv_analyst;
GRANT SELECT,INSERT,UPDATE ON TABLE sync.horizon TO tpv_apply;
REVOKE ALL ON FUNCTION sync.contiguous() FROM PUBLIC;
GRANT ALL ON FUNCTION sync.contiguous() TO tpv_operator;
GRANT ALL ON FUNCTION sync.contiguous() TO tpv_analyst;
REVOKE ALL ON FUNCTION sync.describe_table(relation regclass) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.dismiss(quarantine_id bigint, why text) FROM PUBLIC;
GRANT ALL ON FUNCTION sync.dismiss(quarantine_id bigint, why text) TO tpv_operator;
REVOKE ALL ON FUNCTION sync.drop_slot_statement(slot text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.duplicates() FROM PUBLIC;
GRANT ALL ON FUNCTION sync.duplicates() TO tpv_operator;
REVOKE ALL ON FUNCTION sync.erase(table_name text, key uuid, why text) FROM PUBLIC;
REVOKE ALL ON FUNCTION tpv.follow_hash_chain(node_id integer, chain text, from_seq bigint, from_hash bytea, to_seq bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.follow_hash_chain(node_id integer, chain text, from_seq bigint, from_hash bytea, to_seq bigint) TO tpv_owner WITH GRANT OPTION;
GRANT SELECT ON TABLE sync.peer TO tpv_operator;
GRANT SELECT ON TABLE sync.peer TO tpv_analyst;
GRANT SELECT,UPDATE ON TABLE sync.peer TO tpv_apply;
GRANT SELECT ON TABLE sync.verified TO tpv_operator;
GRANT SELECT ON TABLE sync.verified TO tpv_analyst;
GRANT SELECT,INSERT ON TABLE wire.doc TO tpv_apply;
GRANT SELECT ON TABLE wire.doc TO tpv_operator;
GRANT SELECT ON TABLE wire.doc TO tpv_analyst;
GRANT SELECT ON TABLE wire.doc TO tpv_replicator;
REVOKE ALL ON FUNCTION sync.follow_hash_chains(of_peer sync.peer) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.guard() FROM PUBLIC;
GRANT SELECT ON TABLE sync.head TO tpv_operator;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE sync.head TO tpv_apply;
REVOKE ALL ON FUNCTION sync.is_erased(table_name text, key text) FROM PUBLIC;
GRANT SELECT ON TABLE org.node TO tpv_operator;
GRANT SELECT ON TABLE org.node TO tpv_analyst;
GRANT SELECT ON TABLE org.node TO tpv_apply;
REVOKE ALL ON FUNCTION sync.is_joined_store() FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.is_looser(steps jsonb, before jsonb, after jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.join_plan(store_code text, store_id integer, central_code text, central_id integer, store_conninfo text, central_conninfo text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.join_steps(store_code text, store_id integer, central_code text, central_id integer, store_conninfo text, central_conninfo text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.leave_plan(store_code text, store_id integer, central_code text, central_id integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.lock_policies() FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.loosen(table_name text, key uuid, column_name text, value text, why text) FROM PUBLIC;
GRANT ALL ON FUNCTION sync.loosen(table_name text, key uuid, column_name text, value text, why text) TO tpv_operator;
REVOKE ALL ON FUNCTION sync.make_alias(table_name text, key uuid, of_key uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION sync.make_alias(table_name text, key uuid, of_key uuid) TO tpv_operator;
REVOKE ALL ON FUNCTION sync.mark_gap(peer integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.name_part(node_code text) FROM PUBLIC;
GRANT ALL ON FUNCTION sync.name_part(node_code text) TO tpv_operator;
GRANT ALL ON FUNCTION sync.name_part(node_code text) TO tpv_analyst;
REVOKE ALL ON FUNCTION sync.own_hash_chains() FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.policy_changed() FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.policy_dry_run(table_name text, column_name text, rule jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION sync.policy_dry_run(table_name text, column_name text, rule jsonb) TO tpv_operator;
REVOKE ALL ON FUNCTION sync.policy_key(table_name text, column_name text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.prune_beats() FROM PUBLIC;
GRANT ALL ON FUNCTION sync.prune_beats() TO tpv_cron;
REVOKE ALL ON FUNCTION sync.prune_resends() FROM PUBLIC;
GRANT ALL ON FUNCTION sync.prune_resends() TO tpv_cron;
REVOKE ALL ON FUNCTION sync.publish_statement(publication text, docs text, ops text, beats text, resends text) FROM PUBLIC;
GRANT SELECT ON TABLE sync.request TO tpv_operator;
GRANT SELECT ON TABLE sync.request TO tpv_analyst;
REVOKE ALL ON FUNCTION sync.receive_request(peer integer, wants json) FROM PUBLIC;
GRANT ALL ON FUNCTION sync.receive_request(peer integer, wants json) TO tpv_apply;
REVOKE ALL ON FUNCTION sync.reconcile() FROM PUBLIC;
GRANT ALL ON FUNCTION sync.reconcile() TO tpv_cron;
GRANT ALL ON FUNCTION sync.reconcile() TO tpv_operator;
REVOKE ALL ON FUNCTION sync.reconcile_with(peer integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.rejoin_plan(store_code text, store_id integer, central_code text, central_id integer, store_conninfo text, central_conninfo text) FROM PUBLIC;
GRANT SELECT ON TABLE sync.drift TO tpv_operator;
GRANT SELECT ON TABLE sync.drift TO tpv_analyst;
GRANT SELECT ON TABLE sync.snapshot TO tpv_operator;
GRANT SELECT ON TABLE sync.snapshot TO tpv_analyst;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE sync.snapshot TO tpv_apply;
GRANT SELECT,INSERT,DELETE ON TABLE sync.snapshot_row TO tpv_apply;
REVOKE ALL ON FUNCTION sync.remove_peer(node_id integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.replay(quarantine_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION sync.replay(quarantine_id bigint) TO tpv_operator;
REVOKE ALL ON FUNCTION sync.replay_waiting(most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION sync.replay_waiting(most integer) TO tpv_cron;
GRANT ALL ON FUNCTION sync.replay_waiting(most integer) TO tpv_operator;
REVOKE ALL ON FUNCTION tpv.hlc_now() FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.hlc_now() TO tpv_owner WITH GRANT OPTION;
GRANT SELECT,INSERT ON TABLE wire.resend TO tpv_apply;
GRANT SELECT ON TABLE wire.resend TO tpv_replicator;
REVOKE ALL ON FUNCTION sync.send(to_node integer, kind text, body text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.request(peer integer, wants json) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.request_all(peer integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.resolve_conflict(table_name text, key text, column_name text, node_id integer, seq bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION sync.resolve_conflict(table_name text, key text, column_name text, node_id integer, seq bigint) TO tpv_operator;
REVOKE ALL ON FUNCTION sync.schema_version() FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.send_snapshot(to_node integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.serve_request(wanted sync.request, most integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.serve_requests(most integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.shared(image jsonb, columns text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.slot_statement(slot text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.subscribe_statement(subscription text, conninfo text, publication text, slot text, origin text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.subscription_options(version integer, origin text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.track(table_name text, writer text, groups jsonb, owner_column text, duplicates jsonb, only_stricter jsonb, sets jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.unsubscribe_statement(subscription text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.was_written(table_name text, column_name text) FROM PUBLIC;
REVOKE ALL ON FUNCTION tpv.as_set(value jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.as_set(value jsonb) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.barcode_decode(code text, rules jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.barcode_decode(code text, rules jsonb) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.beat() FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.beat() TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.canonical_key(table_name text, key text) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.canonical_key(table_name text, key text) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.capture_change(table_name text, old jsonb, new jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.capture_change(table_name text, old jsonb, new jsonb) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.choose_again(table_name text, key text, column_name text) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.choose_again(table_name text, key text, column_name text) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.close_day(business_date date, why text) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.close_day(business_date date, why text) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.dat_legacy_profile() FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.dat_legacy_profile() TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.dat_path(profile jsonb, receipt jsonb, published_on date) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.dat_path(profile jsonb, receipt jsonb, published_on date) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.dat_profile_check(profile jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.dat_profile_check(profile jsonb) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.dat_render(profile jsonb, receipt jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.dat_render(profile jsonb, receipt jsonb) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.decide(table_name text, key text, column_name text, value jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.decide(table_name text, key text, column_name text, value jsonb) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.document_link(node_id integer, chain text, chain_seq bigint, doc_id uuid, kind text, business_date date, prev_hash bytea, content_hash bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.document_link(node_id integer, chain text, chain_seq bigint, doc_id uuid, kind text, business_date date, prev_hash bytea, content_hash bytea) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.empty_row(table_name text, key text) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.empty_row(table_name text, key text) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.erase(table_name text, key text) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.erase(table_name text, key text) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.forget_rules() FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.forget_rules() TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.gtin14(code text) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.gtin14(code text) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.gtin_check_digit(digits text) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.gtin_check_digit(digits text) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.hlc_ahead() FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.hlc_ahead() TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.hlc_observe(hlc bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.hlc_observe(hlc bigint) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.hlc_step_back() FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.hlc_step_back() TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.hlc_time(hlc bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.hlc_time(hlc bigint) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.ingest_files(terminal text, files bytea[], names text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.ingest_files(terminal text, files bytea[], names text[]) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.is_capturing() FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.is_capturing() TO tpv_owner WITH GRANT OPTION;
SET SESSION AUTHORIZATION tpv_owner;
GRANT ALL ON FUNCTION tpv.is_capturing() TO tpv_apply;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION tpv_owner;
GRANT ALL ON FUNCTION tpv.is_capturing() TO tpv_operator;
RESET SESSION AUTHORIZATION;
REVOKE ALL ON FUNCTION tpv.peer_differences(facts jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.peer_differences(facts jsonb) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.policy_check(table_name text, column_name text, rule jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.policy_check(table_name text, column_name text, rule jsonb) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.policy_dry_run(table_name text, column_name text, rule jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.policy_dry_run(table_name text, column_name text, rule jsonb) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.rebuild_projections() FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.rebuild_projections() TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.receipt_parse(raw bytea, terminal jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.receipt_parse(raw bytea, terminal jsonb) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.receive_beat() FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.receive_beat() TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.receive_document() FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.receive_document() TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.receive_operation() FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.receive_operation() TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.receive_resend() FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.receive_resend() TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.refuse_change() FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.refuse_change() TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.release_receipt(receipt_id uuid, why text, file_name text) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.release_receipt(receipt_id uuid, why text, file_name text) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.render_again(receipt_id uuid, why text) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.render_again(receipt_id uuid, why text) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.replay(quarantine_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.replay(quarantine_id bigint) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.resolve_conflict(table_name text, key text, column_name text, node_id integer, seq bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.resolve_conflict(table_name text, key text, column_name text, node_id integer, seq bigint) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.table_check(described jsonb, rules jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.table_check(described jsonb, rules jsonb) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.terminal_check(declares jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.terminal_check(declares jsonb) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.verify_chains() FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.verify_chains() TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.void_receipt(receipt_id uuid, why text) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.void_receipt(receipt_id uuid, why text) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.withdraw_dat(receipt_id uuid, why text) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.withdraw_dat(receipt_id uuid, why text) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION wire.add_partition(month date) FROM PUBLIC;
REVOKE ALL ON FUNCTION wire.maintain_partitions() FROM PUBLIC;
GRANT ALL ON FUNCTION wire.maintain_partitions() TO tpv_cron;
GRANT ALL ON FUNCTION wire.maintain_partitions() TO tpv_operator;
REVOKE ALL ON FUNCTION wire.verify_chains() FROM PUBLIC;
GRANT ALL ON FUNCTION wire.verify_chains() TO tpv_operator;
GRANT ALL ON FUNCTION wire.verify_chains() TO tpv_analyst;
GRANT SELECT ON TABLE catalog.barcode TO tpv_operator;
GRANT SELECT ON TABLE catalog.barcode TO tpv_analyst;
GRANT SELECT,INSERT,UPDATE ON TABLE catalog.barcode TO tpv_apply;
GRANT SELECT ON TABLE catalog.price TO tpv_operator;
GRANT SELECT ON TABLE catalog.price TO tpv_analyst;
GRANT SELECT,INSERT,UPDATE ON TABLE catalog.price TO tpv_apply;
GRANT SELECT ON TABLE catalog.product TO tpv_operator;
GRANT SELECT ON TABLE catalog.product TO tpv_analyst;
GRANT SELECT,INSERT,UPDATE ON TABLE catalog.product TO tpv_apply;
GRANT SELECT ON TABLE catalog.tax TO tpv_operator;
GRANT SELECT ON TABLE catalog.tax TO tpv_analyst;
GRANT SELECT,INSERT,UPDATE ON TABLE catalog.tax TO tpv_apply;
GRANT SELECT ON TABLE dat.file TO tpv_operator;
GRANT SELECT ON TABLE dat.pending TO tpv_operator;
GRANT SELECT ON TABLE dat.profile TO tpv_operator;
GRANT SELECT,INSERT,UPDATE ON TABLE dat.profile TO tpv_apply;
GRANT SELECT(profile_id) ON TABLE dat.profile TO tpv_analyst;
GRANT SELECT(node_id) ON TABLE dat.profile TO tpv_analyst;
GRANT SELECT(department_code) ON TABLE dat.profile TO tpv_analyst;
GRANT SELECT(version) ON TABLE dat.profile TO tpv_analyst;
GRANT SELECT(profile) ON TABLE dat.profile TO tpv_analyst;
GRANT SELECT(saved_at) ON TABLE dat.profile TO tpv_analyst;
GRANT SELECT ON TABLE dat.superseded TO tpv_operator;
GRANT SELECT ON TABLE dat.withdraw_failed TO tpv_operator;
GRANT SELECT ON TABLE org.department TO tpv_operator;
GRANT SELECT ON TABLE org.department TO tpv_analyst;
GRANT SELECT,INSERT,UPDATE ON TABLE org.department TO tpv_apply;
GRANT SELECT ON TABLE org.legal_entity TO tpv_operator;
GRANT SELECT ON TABLE org.legal_entity TO tpv_analyst;
GRANT SELECT,INSERT,UPDATE ON TABLE org.legal_entity TO tpv_apply;
GRANT SELECT ON TABLE org.store TO tpv_operator;
GRANT SELECT ON TABLE org.store TO tpv_analyst;
GRANT SELECT,INSERT,UPDATE ON TABLE org.store TO tpv_apply;
GRANT SELECT ON TABLE org.terminal TO tpv_operator;
GRANT SELECT ON TABLE org.terminal TO tpv_analyst;
GRANT SELECT,INSERT,UPDATE ON TABLE org.terminal TO tpv_apply;
GRANT SELECT,INSERT,UPDATE ON TABLE party.customer TO tpv_operator;
GRANT SELECT,INSERT,UPDATE ON TABLE party.customer TO tpv_apply;
GRANT SELECT ON TABLE sales.day_close TO tpv_operator;
GRANT SELECT ON TABLE sales.day_close TO tpv_analyst;
GRANT SELECT,INSERT,UPDATE ON TABLE sales.day_close TO tpv_apply;
GRANT SELECT ON TABLE sales.receipt TO tpv_operator;
GRANT SELECT ON TABLE sales.receipt TO tpv_analyst;
GRANT SELECT,INSERT,UPDATE ON TABLE sales.receipt TO tpv_apply;
GRANT SELECT ON TABLE sales.held TO tpv_operator;
GRANT SELECT ON TABLE sales.held TO tpv_analyst;
GRANT SELECT ON TABLE sales.raw TO tpv_operator;
GRANT SELECT ON TABLE sales.receipt_event TO tpv_operator;
GRANT SELECT ON TABLE sales.receipt_event TO tpv_analyst;
GRANT SELECT,INSERT,UPDATE ON TABLE sales.receipt_event TO tpv_apply;
GRANT SELECT ON TABLE sales.receipt_key TO tpv_operator;
GRANT SELECT ON TABLE sales.receipt_line TO tpv_operator;
GRANT SELECT ON TABLE sales.receipt_line TO tpv_analyst;
GRANT SELECT,INSERT,UPDATE ON TABLE sales.receipt_line TO tpv_apply;
GRANT SELECT ON TABLE sales.receipt_tax TO tpv_operator;
GRANT SELECT ON TABLE sales.receipt_tax TO tpv_analyst;
GRANT SELECT ON TABLE sales.rejected TO tpv_operator;
GRANT SELECT ON TABLE sales.terminal_tail TO tpv_operator;
GRANT SELECT ON TABLE sec.audit TO tpv_operator;
GRANT INSERT ON TABLE sec.audit TO tpv_apply;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE sync.awaited TO tpv_apply;
GRANT SELECT ON TABLE sync.duplicate TO tpv_operator;
GRANT SELECT ON TABLE sync.erasure TO tpv_operator;
GRANT SELECT ON TABLE sync.hash_chain TO tpv_operator;
GRANT SELECT ON TABLE sync.hash_chain TO tpv_analyst;
GRANT SELECT ON TABLE sync.hash_chain TO tpv_apply;
GRANT SELECT ON TABLE sync.loosening TO tpv_operator;
GRANT SELECT ON TABLE sync.policy TO tpv_operator;
GRANT SELECT ON TABLE sync.policy TO tpv_analyst;
GRANT SELECT,INSERT,UPDATE ON TABLE sync.policy TO tpv_apply;
GRANT SELECT ON TABLE sync.quarantine TO tpv_operator;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE sync.quarantine TO tpv_apply;
GRANT SELECT(quarantine_id) ON TABLE sync.quarantine TO tpv_analyst;
GRANT SELECT(at) ON TABLE sync.quarantine TO tpv_analyst;
GRANT SELECT(node_id) ON TABLE sync.quarantine TO tpv_analyst;
GRANT SELECT(doc_id) ON TABLE sync.quarantine TO tpv_analyst;
GRANT SELECT(business_date) ON TABLE sync.quarantine TO tpv_analyst;
GRANT SELECT(kind) ON TABLE sync.quarantine TO tpv_analyst;
GRANT SELECT(code) ON TABLE sync.quarantine TO tpv_analyst;
GRANT SELECT(resolved_at) ON TABLE sync.quarantine TO tpv_analyst;
GRANT SELECT(seq) ON TABLE sync.quarantine TO tpv_analyst;
GRANT SELECT(entire) ON TABLE sync.quarantine TO tpv_analyst;
GRANT SELECT ON TABLE sync.resolution TO tpv_operator;
GRANT SELECT ON TABLE sync.sibling TO tpv_operator;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE sync.sibling TO tpv_apply;
GRANT SELECT ON TABLE sync.status TO tpv_operator;
GRANT SELECT ON TABLE sync.status TO tpv_analyst;
GRANT SELECT,INSERT ON TABLE wire.beat TO tpv_apply;
GRANT SELECT ON TABLE wire.beat TO tpv_operator;
GRANT SELECT ON TABLE wire.beat TO tpv_analyst;
GRANT SELECT ON TABLE wire.beat TO tpv_replicator;
GRANT SELECT,INSERT ON TABLE wire.doc_default TO tpv_apply;
GRANT SELECT,INSERT ON TABLE wire.op_1 TO tpv_apply;
GRANT SELECT,INSERT ON TABLE wire.op_default TO tpv_apply;

-- DEFAULT PRIVILEGES FOR TABLES; Type: DEFAULT ACL; Schema: wire; Owner: tpv_owner
ALTER DEFAULT PRIVILEGES FOR ROLE tpv_owner IN SCHEMA wire GRANT SELECT,INSERT ON TABLES  TO tpv_apply;

-- DEFAULT PRIVILEGES FOR FUNCTIONS; Type: DEFAULT ACL; Schema: -; Owner: tpv_owner
ALTER DEFAULT PRIVILEGES FOR ROLE tpv_owner REVOKE ALL ON FUNCTIONS  FROM PUBLIC;
