-- What the migrations make of an empty database, to be read: pg_dump --schema-only of PostgreSQL 15,
-- without versions, the partitions of single months, the schema of pg_cron, and statements that say
-- again who owns an object. Nobody edits this file: it is written by
--     TPV_WRITE=1 ./tpv test it schema
-- and compared by the same test.

-- bi; Type: SCHEMA; Schema: -; Owner: tpv_owner
CREATE SCHEMA bi;
COMMENT ON SCHEMA bi IS 'What analysts read. One word means the same in every view; each view and column has a comment (\d+ in psql, docs/dictionary.md). Amounts are in the currency of the store. Receipts that are held or voided are in no sum of sales.';

-- catalog; Type: SCHEMA; Schema: -; Owner: tpv_owner
CREATE SCHEMA catalog;
COMMENT ON SCHEMA catalog IS 'What is sold and what the codes on it mean.';

-- pg_cron; Type: EXTENSION; Schema: -; Owner: -
CREATE EXTENSION IF NOT EXISTS pg_cron WITH SCHEMA pg_catalog;
COMMENT ON EXTENSION pg_cron IS 'Job scheduler for PostgreSQL';

-- dat; Type: SCHEMA; Schema: -; Owner: tpv_owner
CREATE SCHEMA dat;
COMMENT ON SCHEMA dat IS 'The fixed-width files for the legacy checkout: layouts, published bytes, pending work.';

-- journal; Type: SCHEMA; Schema: -; Owner: tpv_owner
CREATE SCHEMA journal;
COMMENT ON SCHEMA journal IS 'The journal and what is kept for the merge, as operators read it: without rows of schema sec.';

-- org; Type: SCHEMA; Schema: -; Owner: tpv_owner
CREATE SCHEMA org;
COMMENT ON SCHEMA org IS 'Who and where: nodes, legal entities, stores, departments, terminals.';

-- own; Type: SCHEMA; Schema: -; Owner: tpv_owner
CREATE SCHEMA own;
COMMENT ON SCHEMA own IS 'What people of the chain see and do, each within the scope of the role that was granted: views, and functions that take and give one JSON object. The gateway shows it.';

-- party; Type: SCHEMA; Schema: -; Owner: tpv_owner
CREATE SCHEMA party;
COMMENT ON SCHEMA party IS 'People: customers and employees.';

-- rollup; Type: SCHEMA; Schema: -; Owner: tpv_owner
CREATE SCHEMA rollup;
COMMENT ON SCHEMA rollup IS 'Sums by business day, which follow within seconds of what they sum up. Local, and rebuilt by rollup.rebuild. Analysts read them through schema bi.';

-- sales; Type: SCHEMA; Schema: -; Owner: tpv_owner
CREATE SCHEMA sales;
COMMENT ON SCHEMA sales IS 'Receipts as analysts read them (projections of wire.doc), and the functions that receive files of terminals.';

-- sec; Type: SCHEMA; Schema: -; Owner: tpv_owner
CREATE SCHEMA sec;
COMMENT ON SCHEMA sec IS 'Who acts, who may what, sessions and passwords, and events for whoever is responsible for security. Operators do not read what the journal has of tables in it.';

-- sync; Type: SCHEMA; Schema: -; Owner: tpv_owner
CREATE SCHEMA sync;
COMMENT ON SCHEMA sync IS 'What this node knows of its peers, and what is kept for the merge: local, never replicated. Only sync.policy is shared.';

-- tpv; Type: SCHEMA; Schema: -; Owner: postgres
CREATE SCHEMA tpv;
ALTER SCHEMA tpv OWNER TO postgres;

-- tpv_lock; Type: SCHEMA; Schema: -; Owner: tpv_owner
CREATE SCHEMA tpv_lock;
COMMENT ON SCHEMA tpv_lock IS 'Empty tables that are there to be locked. No login may use it, so that none can stop a node.';

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
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  return (
    select coalesce(jsonb_agg(catalog.rule_as_json(r) order by r.priority, r.name), '[]')
      from catalog.barcode_rule r
     where (r.node_id is null or r.node_id = barcode_rules.node_id) and not r.deleted);
end $$;
COMMENT ON FUNCTION catalog.barcode_rules(node_id integer) IS 'The rules that hold in a store, as tpv.barcode_decode reads them.';

-- check_rule(); Type: FUNCTION; Schema: catalog; Owner: tpv_owner
CREATE FUNCTION catalog.check_rule() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  -- Raises 22023 with every fault: a bad rule must not get as far as a receipt.
  perform tpv.barcode_decode('0', jsonb_build_array(catalog.rule_as_json(new)));
  return new;
end $$;
COMMENT ON FUNCTION catalog.check_rule() IS 'Refuses a barcode rule with faults.';

-- find_product(integer, text, text, date); Type: FUNCTION; Schema: catalog; Owner: tpv_owner
CREATE FUNCTION catalog.find_product(node_id integer, department text, code text, on_date date) RETURNS uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  printed text := btrim(find_product.code);
  digits text;
  product uuid;
begin
  select p.product_id into product
    from catalog.barcode b join catalog.product p on p.product_id = b.product_id and not p.deleted
   where b.gtin14 = tpv.gtin14(printed) and not b.deleted;
  if product is not null then
    return product;
  end if;
  digits := tpv.item_digits(find_product.code, find_product.department, find_product.on_date,
                            catalog.barcode_rules(find_product.node_id));
  -- A scale pads the number of an item with zeros. What is in the catalog as it is printed goes
  -- first.
  select p.product_id into product
    from (values (1, digits), (2, ltrim(digits, '0')), (3, printed)) as w (step, code)
    join catalog.local_code c on c.code = w.code and not c.deleted
     and (c.node_id is null or c.node_id = find_product.node_id)
     and (c.department_code is null or c.department_code = find_product.department)
    join catalog.product p on p.product_id = c.product_id and not p.deleted
   order by w.step = 3, c.department_code is null, c.node_id is null, w.step
   limit 1;
  return product;
end $$;
COMMENT ON FUNCTION catalog.find_product(node_id integer, department text, code text, on_date date) IS 'The product that a code means at a department of a store on a day; null when nobody knows. First as a GTIN; then by the item digits of a restricted number; then as a local code, of the department, else of the store, else of the chain.';

-- item_key(integer, text, text, date); Type: FUNCTION; Schema: catalog; Owner: tpv_owner
CREATE FUNCTION catalog.item_key(node_id integer, department text, code text, on_date date) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  return tpv.item_key(code, department, on_date, catalog.barcode_rules(node_id));
end $$;
COMMENT ON FUNCTION catalog.item_key(node_id integer, department text, code text, on_date date) IS 'What was sold, as documents say it: a GTIN of 14 digits; R: with prefix and item digits of a restricted number, by the rule that held in that store on that day; else L:<department>:<code>.';

-- line_tax(integer, text, text, numeric, date); Type: FUNCTION; Schema: catalog; Owner: tpv_owner
CREATE FUNCTION catalog.line_tax(node_id integer, department text, code text, said numeric, on_date date) RETURNS TABLE(rate numeric, source text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  return query
  select t.rate, t.source
    from (
      select 1, line_tax.said, 'receipt'
      union all
      select 2, catalog.tax_rate_at(p.tax_id, line_tax.on_date), 'product'
        from catalog.product p
       where line_tax.said is null
         and p.product_id = catalog.find_product(line_tax.node_id, line_tax.department, line_tax.code, line_tax.on_date)
      union all
      select 3, catalog.tax_rate_at(d.tax_id, line_tax.on_date), 'department'
        from org.department d
       where line_tax.said is null and d.node_id = line_tax.node_id and d.code = line_tax.department and not d.deleted
      union all
      select 4, null, 'unknown'
    ) as t (step, rate, source)
   where t.rate is not null or t.source = 'unknown'
   order by t.step limit 1;
end $$;
COMMENT ON FUNCTION catalog.line_tax(node_id integer, department text, code text, said numeric, on_date date) IS 'The tax rate of a line, and who says so: receipt (said, what was printed), else product, else department, at their rate on that business day; else unknown, with no rate.';

-- line_taxes(integer, text, text[], date); Type: FUNCTION; Schema: catalog; Owner: tpv_owner
CREATE FUNCTION catalog.line_taxes(node_id integer, department text, codes text[], on_date date) RETURNS TABLE(code text, rate numeric, source text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  rules jsonb := catalog.barcode_rules(line_taxes.node_id);
begin
  return query
  with c as materialized (
    select u.code, btrim(u.code) as printed, tpv.gtin14(btrim(u.code)) as gtin14,
           tpv.item_digits(u.code, line_taxes.department, line_taxes.on_date, rules) as digits
      from (select distinct u.code from unnest(line_taxes.codes) u (code)) u
  ), found as materialized (
    -- As catalog.find_product finds it.
    select c.code, coalesce(b.tax_id, l.tax_id) as tax_id
      from c
      left join lateral (
        select p.product_id, p.tax_id from catalog.barcode b join catalog.product p on p.product_id = b.product_id and not p.deleted
         where b.gtin14 = c.gtin14 and not b.deleted) b on true
      left join lateral (
        select p.tax_id
          from (values (1, c.digits), (2, ltrim(c.digits, '0')), (3, c.printed)) as w (step, code)
          join catalog.local_code o on o.code = w.code and not o.deleted
           and (o.node_id is null or o.node_id = line_taxes.node_id)
           and (o.department_code is null or o.department_code = line_taxes.department)
          join catalog.product p on p.product_id = o.product_id and not p.deleted
         order by w.step = 3, o.department_code is null, o.node_id is null, w.step
         limit 1) l on b.product_id is null
  ), taxed as materialized (
    select t.tax_id, catalog.tax_rate_at(t.tax_id, line_taxes.on_date) as rate
      from (select distinct f.tax_id from found f where f.tax_id is not null) t
  ), department as materialized (
    select catalog.tax_rate_at(d.tax_id, line_taxes.on_date) as rate
      from org.department d
     where d.node_id = line_taxes.node_id and d.code = line_taxes.department and not d.deleted
  )
  select f.code, coalesce(t.rate, d.rate),
         case when t.rate is not null then 'product' when d.rate is not null then 'department' else 'unknown' end
    from found f left join taxed t on t.tax_id = f.tax_id left join department d on true;
end $$;
COMMENT ON FUNCTION catalog.line_taxes(node_id integer, department text, codes text[], on_date date) IS 'The tax rates of codes that receipts of a department say no rate of, and who says them: product, else department, at their rate on that business day; else unknown, with no rate. Each code once. They are those of catalog.line_tax, which is for one line.';

-- price_at(uuid, integer, timestamp with time zone); Type: FUNCTION; Schema: catalog; Owner: tpv_owner
CREATE FUNCTION catalog.price_at(product_id uuid, node_id integer, at timestamp with time zone DEFAULT now()) RETURNS numeric
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  -- The store's own, then the chain's: of each the last that has begun. A null of the store's
  -- leaves it to the chain's.
  return (
    select coalesce(
      (select p.price from catalog.price p
        where p.product_id = price_at.product_id and p.node_id = price_at.node_id and p.valid_from <= price_at.at and not p.deleted
        order by p.valid_from desc, p.price_id desc limit 1),
      (select p.price from catalog.price p
        where p.product_id = price_at.product_id and p.node_id is null and p.valid_from <= price_at.at and not p.deleted
        order by p.valid_from desc, p.price_id desc limit 1))
     where exists (select from catalog.product t where t.product_id = price_at.product_id and not t.deleted));
end $$;
COMMENT ON FUNCTION catalog.price_at(product_id uuid, node_id integer, at timestamp with time zone) IS 'The price of a product in a store at a moment: the store''s own, else the chain''s; null when there is none. A price holds until the next valid_from; of two with one valid_from the greater key.';
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
    deleted boolean DEFAULT false NOT NULL,
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
COMMENT ON COLUMN catalog.barcode_rule.deleted IS 'Whether it was deleted. Rows are never removed.';

-- rule_as_json(catalog.barcode_rule); Type: FUNCTION; Schema: catalog; Owner: tpv_owner
CREATE FUNCTION catalog.rule_as_json(r catalog.barcode_rule) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  return jsonb_strip_nulls(jsonb_build_object(
    'name', r.name, 'priority', r.priority, 'prefix', r.prefix, 'length', r.length, 'kind', r.kind,
    'item', case when r.item_start is not null then jsonb_build_object('start', r.item_start, 'length', r.item_length) end,
    'value', case when r.value_start is not null then jsonb_build_object('start', r.value_start, 'length', r.value_length) end,
    'decimals', r.decimals, 'inner_check', r.inner_check, 'inner_check_position', r.inner_check_position,
    'department', r.department_code, 'valid_from', r.valid_from, 'valid_to', r.valid_to));
end $$;
COMMENT ON FUNCTION catalog.rule_as_json(r catalog.barcode_rule) IS 'The rule as tpv.barcode_decode reads it.';

-- tax_rate_at(uuid, date); Type: FUNCTION; Schema: catalog; Owner: tpv_owner
CREATE FUNCTION catalog.tax_rate_at(tax_id uuid, on_date date) RETURNS numeric
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  return (
    select r.rate from catalog.tax_rate r join catalog.tax t on t.tax_id = r.tax_id and not t.deleted
     where r.tax_id = tax_rate_at.tax_id and r.valid_from <= tax_rate_at.on_date and not r.deleted
     order by r.valid_from desc, r.tax_rate_id desc limit 1);
end $$;
COMMENT ON FUNCTION catalog.tax_rate_at(tax_id uuid, on_date date) IS 'The rate of a tax on a business day, in percent; null when it had none yet. A rate holds until the next valid_from; of two with one valid_from the greater key.';

-- check_profile(); Type: FUNCTION; Schema: dat; Owner: tpv_owner
CREATE FUNCTION dat.check_profile() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  faults text;
begin
  if tg_op = 'INSERT' and tpv.is_capturing() then
    -- No defaults: rows of other nodes would get them too.
    new.saved_at := coalesce(new.saved_at, now());
    new.saved_by := coalesce(new.saved_by, sec.actor());
  end if;
  select string_agg(format('%s at "%s": %s', c.code, c.pointer, c.detail), '; ') into faults
    from tpv.dat_profile_check(new.profile) c where c.detail not like 'warning: %';
  if faults is not null and not new.deleted then
    raise exception 'the profile has faults' using errcode = '22023', detail = faults;
  end if;
  return new;
end $$;
COMMENT ON FUNCTION dat.check_profile() IS 'Refuses a layout with faults, also where it arrives: one of a newer version waits, and the one before it is used.';

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
COMMENT ON FUNCTION dat.render_again(receipt_id uuid, why text) IS 'Renders the .dat of a receipt again, with the present layout, and publishes it in place of the old one. The reason stays for ever and names no person.';

-- save_profile(jsonb, text, integer); Type: FUNCTION; Schema: dat; Owner: tpv_owner
CREATE FUNCTION dat.save_profile(profile jsonb, department_code text DEFAULT NULL::text, node_id integer DEFAULT NULL::integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  problem record;
  saved integer;
begin
  for problem in select * from tpv.dat_profile_check(save_profile.profile) c where c.detail like 'warning: %' loop
    raise warning '% at "%": %', problem.code, problem.pointer, substr(problem.detail, 10);
  end loop;
  -- One saver at a time, so that versions count without gaps.
  lock table dat.profile in share row exclusive mode;
  insert into dat.profile (node_id, department_code, version, profile)
  select coalesce(save_profile.node_id, org.this_node()), save_profile.department_code,
         coalesce(max(p.version), 0) + 1, save_profile.profile
    -- Deleted ones count: a version is given once.
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
COMMENT ON FUNCTION dat.withdraw(receipt_id uuid, why text) IS 'Takes the .dat of a receipt away from the checkout. The receipt stays as it is. A withdrawal that came too late is listed in dat.withdraw_failed. The reason stays for ever and names no person.';

-- check_declaration(); Type: FUNCTION; Schema: org; Owner: tpv_owner
CREATE FUNCTION org.check_declaration() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  faults text;
begin
  select string_agg(format('%s: %s', f.pointer, f.detail), '; ') into faults from tpv.terminal_check(new.declares) f;
  if faults is not null and not new.deleted then
    raise exception 'the declaration of the terminal has faults' using errcode = '22023', detail = faults;
  end if;
  return new;
end $$;
COMMENT ON FUNCTION org.check_declaration() IS 'Refuses a terminal whose declaration has faults, also where it arrives: one of a newer version waits, and the one before it holds.';

-- check_place(); Type: FUNCTION; Schema: org; Owner: tpv_owner
CREATE FUNCTION org.check_place() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  image jsonb := to_jsonb(new);
  at_node integer := image ->> 'node_id';
  department text := image ->> 'department_code';
begin
  if at_node is null or image -> 'deleted' = 'true' then
    return null;
  end if;
  -- Locked, so that nobody deletes it before this is committed.
  perform from org.store s where s.node_id = at_node and not s.deleted for share;
  if not found then
    raise exception 'node % has no store', at_node using errcode = '23503',
      hint = 'A store registers itself with org.register_store, and is known here once it has joined.';
  end if;
  if department is not null then
    perform from org.department d where d.node_id = at_node and d.code = department and not d.deleted for share;
    if not found then
      raise exception 'the store of node % has no such department', at_node using errcode = '23503',
        detail = format('%s names department %s.', tg_table_schema || '.' || tg_table_name, department),
        hint = 'Register it with org.register_department.';
    end if;
  end if;
  return null;
end $$;
COMMENT ON FUNCTION org.check_place() IS 'Refuses a row that names a store or a department that is not there, or is deleted.';

-- check_vacant(); Type: FUNCTION; Schema: org; Owner: tpv_owner
CREATE FUNCTION org.check_vacant() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  at_node integer := old.node_id;
  department text := to_jsonb(old) ->> 'code';
  is_store boolean := tg_table_name = 'store';
  left_over text;
begin
  -- It went, or bears another name; and no other row has taken its place.
  if old.deleted
     or is_store and exists (select from org.store s where s.node_id = at_node and not s.deleted)
     or not is_store and exists (
       select from org.department d where d.node_id = at_node and d.code = department and not d.deleted) then
    return null;
  end if;
  select string_agg(u.user_name || ': ' || u.rows, ', ' order by u.user_name) into left_over
    from (
      select 'org.department' as user_name, count(*) as rows from org.department d
       where is_store and d.node_id = at_node and not d.deleted
      union all
      select 'org.terminal', count(*) from org.terminal t
       where t.node_id = at_node and not t.deleted and (is_store or t.department_code = department)
      union all
      select 'dat.profile', count(*) from dat.profile p
       where p.node_id = at_node and not p.deleted and (is_store or p.department_code = department)
      union all
      select 'catalog.barcode_rule', count(*) from catalog.barcode_rule r
       where r.node_id = at_node and not r.deleted and (is_store or r.department_code = department)
      union all
      -- A department that another lessee gets must be nobody's before.
      select 'sec.role_grant', count(*) from sec.role_grant g
       where g.node_id = at_node and not g.deleted and (is_store or g.department_code = department)
         and coalesce(g.valid_to, 'infinity') >= sec.today(g.node_id)
      union all
      select 'catalog.local_code', count(*) from catalog.local_code c
       where c.node_id = at_node and not c.deleted and (is_store or c.department_code = department)
    ) u
   where u.rows > 0;
  if left_over is not null then
    raise exception 'that % is still used', tg_table_name using errcode = '23503',
      detail = format('Rows that name it: %s.', left_over),
      hint = 'Delete them too, in the same transaction, or let them name another.';
  end if;
  return null;
end $$;
COMMENT ON FUNCTION org.check_vacant() IS 'Refuses that a store or a department is deleted, or gets another code, while other rows name it.';

-- keep_dates(); Type: FUNCTION; Schema: org; Owner: tpv_owner
CREATE FUNCTION org.keep_dates() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  -- One that was deleted dates its receipts all the same.
  if exists (select from org.store s where s.node_id = new.node_id
              and (s.timezone, s.cutoff_hour) is distinct from (new.timezone, new.cutoff_hour))
     and exists (select from wire.doc d where d.node_id = new.node_id) then
    raise exception 'the time zone and the cut-off hour of a store with receipts cannot be changed' using errcode = '22023';
  end if;
  return new;
end $$;
COMMENT ON FUNCTION org.keep_dates() IS 'Refuses another time zone or cut-off hour of a store that has receipts: the same file would be another receipt then.';

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

-- register_department(text, text, text, integer, text); Type: FUNCTION; Schema: org; Owner: tpv_owner
CREATE FUNCTION org.register_department(code text, name text, concessionaire text DEFAULT NULL::text, node_id integer DEFAULT NULL::integer, tax text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  entity uuid;
  default_tax uuid;
begin
  if concessionaire is not null then
    -- There is no unique index: two stores may each register a concessionaire before they join.
    lock table org.legal_entity in share row exclusive mode;
    select e.legal_entity_id into entity from org.legal_entity e
     where e.name = register_department.concessionaire and not e.deleted order by 1 limit 1;
    if not found then
      insert into org.legal_entity (name) values (register_department.concessionaire) returning legal_entity_id into entity;
    end if;
  end if;
  if tax is not null then
    select t.tax_id into default_tax from catalog.tax t where t.code = register_department.tax and not t.deleted;
    if not found then
      raise exception 'there is no such tax' using errcode = '23503', hint = 'Their codes are in catalog.tax.';
    end if;
  end if;
  insert into org.department as d (node_id, code, name, legal_entity_id, tax_id)
  values (coalesce(register_department.node_id, org.this_node()), register_department.code, register_department.name,
          entity, default_tax)
  on conflict (node_id, code) where not deleted do update
    set name = excluded.name, legal_entity_id = coalesce(excluded.legal_entity_id, d.legal_entity_id),
        tax_id = coalesce(excluded.tax_id, d.tax_id);
end $$;
COMMENT ON FUNCTION org.register_department(code text, name text, concessionaire text, node_id integer, tax text) IS 'Registers a department, or renames it. concessionaire is the registered name of whoever leases it; node_id the store, this one if it is not given; tax the code in catalog.tax of what is sold there without one.';

-- register_store(integer, text, text, text, integer, text, text, text); Type: FUNCTION; Schema: org; Owner: tpv_owner
CREATE FUNCTION org.register_store(node_id integer, node_code text, name text, timezone text, cutoff_hour integer, currency text, code text DEFAULT NULL::text, gateway_url text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
#variable_conflict use_column
begin
  -- Both must know it: PostgreSQL, which has more names than IANA, and tpv, which reads the clocks.
  if register_store.timezone is null or register_store.timezone !~ '/|^UTC$'
     or not exists (select from pg_catalog.pg_timezone_names z where z.name = register_store.timezone)
     or exists (select from tpv.terminal_check(jsonb_build_object('timezone', register_store.timezone))) then
    raise exception 'the time zone is not known' using errcode = '22023',
      hint = 'Give an IANA name such as Europe/Madrid. They are in pg_timezone_names.';
  end if;
  if org.this_node() <> register_store.node_id then
    raise exception 'this database is another node' using errcode = '22023',
      detail = format('It is node %s.', org.this_node()), hint = 'Each store has a database of its own.';
  end if;
  insert into org.node (node_id, node_code, kind) values (register_store.node_id, register_store.node_code, 'store')
  on conflict (node_id) do update set node_code = excluded.node_code;
  insert into sync.this_node (node_id) values (register_store.node_id) on conflict do nothing;
  insert into org.store as s (node_id, code, name, timezone, cutoff_hour, currency, gateway_url)
  values (register_store.node_id, coalesce(register_store.code, register_store.node_code), register_store.name,
          register_store.timezone, register_store.cutoff_hour, register_store.currency, register_store.gateway_url)
  on conflict (node_id) where not deleted do update
    set name = excluded.name, timezone = excluded.timezone, cutoff_hour = excluded.cutoff_hour, currency = excluded.currency,
        code = coalesce(register_store.code, s.code), gateway_url = coalesce(register_store.gateway_url, s.gateway_url);
  if not exists (select from dat.profile p
                  where p.node_id = register_store.node_id and p.department_code is null and not p.deleted) then
    perform dat.save_profile(tpv.dat_legacy_profile());
  end if;
end $_$;
COMMENT ON FUNCTION org.register_store(node_id integer, node_code text, name text, timezone text, cutoff_hour integer, currency text, code text, gateway_url text) IS 'Makes this database a store, and gives it the legacy .dat layout if it has none. Can be repeated to correct the name. code is what is printed for people, the node''s code if none is given; gateway_url is where its gateway answers. Left out, both stay as they were.';

-- register_terminal(text, text, jsonb, integer, text); Type: FUNCTION; Schema: org; Owner: tpv_owner
CREATE FUNCTION org.register_terminal(code text, department_code text, declares jsonb DEFAULT '{}'::jsonb, node_id integer DEFAULT NULL::integer, kind text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  insert into org.terminal as t (node_id, code, kind, department_code, declares)
  values (coalesce(register_terminal.node_id, org.this_node()), register_terminal.code,
          coalesce(register_terminal.kind, 'department'), register_terminal.department_code, register_terminal.declares)
  on conflict (node_id, code) where not deleted do update
    set department_code = excluded.department_code, declares = excluded.declares, active = true,
        kind = coalesce(register_terminal.kind, t.kind);
end $$;
COMMENT ON FUNCTION org.register_terminal(code text, department_code text, declares jsonb, node_id integer, kind text) IS 'Registers a terminal of a store (this one if no node_id is given), or changes what it declares. kind is department or till. A faulty declaration is refused with 22023.';

-- this_node(); Type: FUNCTION; Schema: org; Owner: tpv_owner
CREATE FUNCTION org.this_node() RETURNS integer
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  return (select node_id from sync.this_node);
end $$;
COMMENT ON FUNCTION org.this_node() IS 'Number of the node that this database is; null before a store is registered.';

-- accept_drift(jsonb); Type: FUNCTION; Schema: own; Owner: tpv_owner
CREATE FUNCTION own.accept_drift(args jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  item bigint;
begin
  perform sec.require('chain.decide');
  perform sec.refuse_faults(tpv.form_faults(args, 'drift_id integer!; why why!'));
  item := args ->> 'drift_id';
  if not exists (select from own.drift d where d.drift_id = item) then
    perform sec.refuse_hidden();
  elsif not exists (select from own.drift d where d.drift_id = item and d.resolved_at is null) then
    perform sec.refuse_conflict('it is no longer open', 'state');
  end if;
  perform sync.accept_drift(item, args ->> 'why');
  return jsonb_build_object('drift_id', item, 'resolved', true);
end $$;
COMMENT ON FUNCTION own.accept_drift(args jsonb) IS 'Accepts a difference that somebody has looked at, so that comparing goes on after it.';

-- block(jsonb); Type: FUNCTION; Schema: own; Owner: tpv_owner
CREATE FUNCTION own.block(args jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  employee uuid;
begin
  perform sec.require('employee.block');
  perform sec.refuse_faults(tpv.form_faults(args, 'employee_id uuid!; why why!'));
  employee := args ->> 'employee_id';
  if not exists (select from own.employee e where e.employee_id = employee) then
    perform sec.refuse_hidden();
  end if;
  perform sec.require_all_of(employee);
  insert into sec.block as b (employee_id, why) values (employee, args ->> 'why') on conflict (employee_id) do nothing;
  if not found then
    perform sec.refuse_conflict('she is blocked already', 'state');
  end if;
  insert into sec.audit (event, subject, detail) values ('BLOCKED', format('employee %s', employee), args ->> 'why');
  return jsonb_build_object('employee_id', employee, 'blocked', true, 'sessions_ended', sec.end_sessions(employee, null, 'REVOKED'));
end $$;
COMMENT ON FUNCTION own.block(args jsonb) IS 'Keeps an employee out at this node, whatever central says, and ends her sessions here.';

-- change_customer(jsonb); Type: FUNCTION; Schema: own; Owner: tpv_owner
CREATE FUNCTION own.change_customer(args jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  changes jsonb := args -> 'changes';
  faults jsonb;
  before party.customer;
  steps jsonb := (select t.only_stricter -> 'consent' from sync.tracked_table t where t.table_name = 'party.customer');
begin
  perform sec.require('customer.write');
  perform sec.refuse_faults(tpv.form_faults(args, 'customer_id uuid!; version text; changes object!'));
  faults := tpv.form_faults(changes, 'name line; ' || sec.customer_members());
  select faults || coalesce(jsonb_agg(sec.fault('/' || m, 'missing', 'it cannot be taken away') -> 0), '[]') into faults
    from unnest(array['name', 'tags', 'consent']) m where changes -> m = 'null';
  perform sec.refuse_faults(faults);
  before := sec.lock_customer(args);
  -- What is not named stays.
  if changes ? 'consent' and sync.is_looser(steps, to_jsonb(before.consent), changes -> 'consent') then
    perform sec.refuse_faults(sec.fault('/consent', 'looser', 'consent is given with a reason: loosen_consent'));
  end if;
  update party.customer c
     set name = n.name, email = n.email, phone = n.phone, street = n.street, postcode = n.postcode, city = n.city,
         country = n.country, tags = n.tags, consent = n.consent, credit_limit = n.credit_limit
    from jsonb_populate_record(before, changes) n
   where c.customer_id = before.customer_id;
  return sec.customer_body(before.customer_id);
end $$;
COMMENT ON FUNCTION own.change_customer(args jsonb) IS 'Changes what is named of a customer; null takes it away. Consent only grows stricter here.';

-- change_employee(jsonb); Type: FUNCTION; Schema: own; Owner: tpv_owner
CREATE FUNCTION own.change_employee(args jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  changes jsonb := args -> 'changes';
  faults jsonb;
  before party.employee;
begin
  perform sec.require('employee.write');
  perform sec.decided_by_central();
  perform sec.refuse_faults(tpv.form_faults(args, 'employee_id uuid!; version text; changes object!'));
  faults := tpv.form_faults(changes, 'name line; active boolean');
  select faults || coalesce(jsonb_agg(sec.fault('/' || m, 'missing', 'it cannot be taken away') -> 0), '[]') into faults
    from unnest(array['name', 'active']) m where changes -> m = 'null';
  perform sec.refuse_faults(faults);
  select * into before from party.employee e where e.employee_id = (args ->> 'employee_id')::uuid and not e.deleted for update;
  if not exists (select from own.employee e where e.employee_id = before.employee_id) then
    perform sec.refuse_hidden();
  end if;
  perform sec.require_version(args -> 'version', (select e.etag from own.employee e where e.employee_id = before.employee_id));
  update party.employee e set name = n.name, active = n.active
    from jsonb_populate_record(before, changes) n
   where e.employee_id = before.employee_id;
  if before.active and changes -> 'active' = 'false' then
    perform sec.end_sessions(before.employee_id, null, 'REVOKED');
  end if;
  return sec.employee_body(before.employee_id);
end $$;
COMMENT ON FUNCTION own.change_employee(args jsonb) IS 'Changes the name of an employee, or whether she may log in. Who may not is refused at once here, and in each store when it has heard.';

-- change_grant(jsonb); Type: FUNCTION; Schema: own; Owner: tpv_owner
CREATE FUNCTION own.change_grant(args jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
declare
  changes jsonb := args -> 'changes';
  faults jsonb;
  before sec.role_grant;
  after sec.role_grant;
begin
  perform sec.require('employee.write');
  perform sec.decided_by_central();
  perform sec.refuse_faults(tpv.form_faults(args, 'role_grant_id uuid!; version text; changes object!'));
  faults := tpv.form_faults(changes, 'valid_from date; valid_to date');
  if changes -> 'valid_from' = 'null' then
    faults := faults || sec.fault('/valid_from', 'missing', 'it cannot be taken away');
  end if;
  perform sec.refuse_faults(faults);
  select * into before from sec.role_grant g where g.role_grant_id = (args ->> 'role_grant_id')::uuid and not g.deleted for update;
  if before.role_grant_id is null then
    perform sec.refuse_hidden();
  end if;
  perform sec.require_version(args -> 'version', (select g.etag from own.role_grant g where g.role_grant_id = before.role_grant_id));
  after := jsonb_populate_record(before, changes);
  if after.valid_to < after.valid_from then
    perform sec.refuse_faults(sec.fault('/valid_to', 'order', 'it is before the first day'));
  end if;
  perform sec.require_no_other(after);
  update sec.role_grant g set valid_from = after.valid_from, valid_to = after.valid_to where g.role_grant_id = before.role_grant_id;
  insert into sec.audit (event, subject, detail)
  values ('ROLE_CHANGED', format('employee %s', before.employee_id),
          concat_ws(' ', before.role, 'of node ' || before.node_id, 'department ' || before.department_code,
                    'from', after.valid_from, 'to ' || after.valid_to));
  set constraints all immediate;
  return (select to_jsonb(g) from own.role_grant g where g.role_grant_id = before.role_grant_id);
end $$;
COMMENT ON FUNCTION own.change_grant(args jsonb) IS 'Changes the days of a grant; a valid_to of null takes its end away. Where and as what it holds stays: that is another grant.';

-- close_day(jsonb); Type: FUNCTION; Schema: own; Owner: tpv_owner
CREATE FUNCTION own.close_day(args jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
declare
  here integer := org.this_node();
  day date;
begin
  perform sec.require('day.close');
  perform sec.refuse_faults(tpv.form_faults(args, 'business_date date!; why why'));
  if not exists (select from org.store s where s.node_id = here and not s.deleted) then
    perform sec.refuse_conflict('a day is closed at its store', 'decided-by-store');
  end if;
  perform sec.require('day.close', here);
  day := args ->> 'business_date';
  begin
    perform sales.close_day(day, coalesce(args ->> 'why', ''));
  exception when data_exception then
    perform sec.refuse_conflict(sqlerrm, 'state');
  end;
  return (select to_jsonb(c) from sales.day_close c where c.node_id = here and c.business_date = day);
end $$;
COMMENT ON FUNCTION own.close_day(args jsonb) IS 'Closes a business day of this store: what comes later counts, is marked LATE, and gets no .dat by itself.';

-- create_customer(jsonb); Type: FUNCTION; Schema: own; Owner: tpv_owner
CREATE FUNCTION own.create_customer(args jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  made uuid;
begin
  perform sec.require('customer.write');
  perform sec.refuse_faults(tpv.form_faults(args, 'name line!; ' || sec.customer_members()));
  insert into party.customer (name, email, phone, street, postcode, city, country, tags, consent, credit_limit)
  select n.name, n.email, n.phone, n.street, n.postcode, n.city, n.country, coalesce(n.tags, '[]'), coalesce(n.consent, 'none'),
         n.credit_limit
    from jsonb_populate_record(null::party.customer, args) n
  returning customer_id into made;
  return sec.customer_body(made);
end $$;
COMMENT ON FUNCTION own.create_customer(args jsonb) IS 'Makes a customer. Two with one e-mail address are refused.';

-- create_employee(jsonb); Type: FUNCTION; Schema: own; Owner: tpv_owner
CREATE FUNCTION own.create_employee(args jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  made uuid;
begin
  perform sec.require('employee.write');
  perform sec.decided_by_central();
  perform sec.refuse_faults(tpv.form_faults(args, 'code login!; name line!'));
  if exists (select from party.employee e where e.code = args ->> 'code' and not e.deleted) then
    perform sec.refuse_conflict('somebody logs in with that name already', 'code-taken');
  end if;
  insert into party.employee (code, name) values (args ->> 'code', args ->> 'name') returning employee_id into made;
  return sec.employee_body(made);
end $$;
COMMENT ON FUNCTION own.create_employee(args jsonb) IS 'Makes an employee. She can log in once she has a role and a password.';

-- delete_customer(jsonb); Type: FUNCTION; Schema: own; Owner: tpv_owner
CREATE FUNCTION own.delete_customer(args jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  before party.customer;
begin
  perform sec.require('customer.write');
  perform sec.refuse_faults(tpv.form_faults(args, 'customer_id uuid!; version text'));
  before := sec.lock_customer(args);
  update party.customer c set deleted = true where c.customer_id = before.customer_id;
  return jsonb_build_object('customer_id', before.customer_id, 'deleted', true);
end $$;
COMMENT ON FUNCTION own.delete_customer(args jsonb) IS 'Deletes a customer: nobody finds it any more. Its values stay; to take them out is erase_customer.';

-- dismiss(jsonb); Type: FUNCTION; Schema: own; Owner: tpv_owner
CREATE FUNCTION own.dismiss(args jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  item bigint;
begin
  perform sec.require('chain.decide');
  perform sec.refuse_faults(tpv.form_faults(args, 'quarantine_id integer!; why why!'));
  item := args ->> 'quarantine_id';
  if not exists (select from own.quarantine q where q.quarantine_id = item) then
    perform sec.refuse_hidden();
  elsif not exists (select from own.quarantine q where q.quarantine_id = item and q.resolved_at is null) then
    perform sec.refuse_conflict('it waits no longer', 'state');
  end if;
  perform sync.dismiss(item, args ->> 'why');
  return jsonb_build_object('quarantine_id', item, 'resolved', true);
end $$;
COMMENT ON FUNCTION own.dismiss(args jsonb) IS 'Takes a row off the quarantine although it was not applied.';

-- end_grant(jsonb); Type: FUNCTION; Schema: own; Owner: tpv_owner
CREATE FUNCTION own.end_grant(args jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  before sec.role_grant;
begin
  perform sec.require('employee.write');
  perform sec.decided_by_central();
  perform sec.refuse_faults(tpv.form_faults(args, 'role_grant_id uuid!; version text'));
  select * into before from sec.role_grant g where g.role_grant_id = (args ->> 'role_grant_id')::uuid and not g.deleted for update;
  if before.role_grant_id is null then
    perform sec.refuse_hidden();
  end if;
  perform sec.require_version(args -> 'version', (select g.etag from own.role_grant g where g.role_grant_id = before.role_grant_id));
  update sec.role_grant g set deleted = true where g.role_grant_id = before.role_grant_id;
  insert into sec.audit (event, subject, detail)
  values ('ROLE_TAKEN', format('employee %s', before.employee_id),
          concat_ws(' ', before.role, 'of node ' || before.node_id, 'department ' || before.department_code));
  return jsonb_build_object('role_grant_id', before.role_grant_id, 'deleted', true);
end $$;
COMMENT ON FUNCTION own.end_grant(args jsonb) IS 'Takes a role away at once. One that ends on a day has its valid_to from the start.';

-- end_session(jsonb); Type: FUNCTION; Schema: own; Owner: tpv_owner
CREATE FUNCTION own.end_session(args jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  known sec.session;
begin
  perform sec.refuse_faults(tpv.form_faults(args, 'session_id uuid!'));
  select * into known from sec.session s where s.session_id = (args ->> 'session_id')::uuid and s.ended_at is null;
  if known.session_id is null
     or known.employee_id is distinct from tpv.acting_employee()
        and not (sec.may('employee.block') and exists (select from own.employee e where e.employee_id = known.employee_id)) then
    perform sec.refuse_hidden();
  end if;
  if known.employee_id is distinct from tpv.acting_employee() then
    perform sec.require_all_of(known.employee_id);
  end if;
  perform sec.end_session(known.session_id, case when known.employee_id = tpv.acting_employee() then 'LOGOUT' else 'REVOKED' end);
  return jsonb_build_object('session_id', known.session_id, 'ended', true);
end $$;
COMMENT ON FUNCTION own.end_session(args jsonb) IS 'Ends a session: one of her own, or of somebody whom she may block.';

-- erase_customer(jsonb); Type: FUNCTION; Schema: own; Owner: tpv_owner
CREATE FUNCTION own.erase_customer(args jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  customer uuid;
begin
  perform sec.require('customer.erase');
  perform sec.refuse_faults(tpv.form_faults(args, 'customer_id uuid!; why why!'));
  customer := args ->> 'customer_id';
  if sync.is_erased('party.customer', customer::text) then
    return jsonb_build_object('customer_id', customer, 'erased', 0);
  end if;
  begin
    return jsonb_build_object('customer_id', customer, 'erased', party.erase(customer, args ->> 'why'));
  exception
    when no_data_found then perform sec.refuse_hidden();
    when invalid_parameter_value then
      perform sec.refuse_faults(sec.fault('/why', 'repeats', 'it repeats a value that is to be erased; name the request'));
  end;
  return null;
end $$;
COMMENT ON FUNCTION own.erase_customer(args jsonb) IS 'Takes every value of a customer out of all nodes, for ever, and of those that are aliases of the same one.';

-- grant_role(jsonb); Type: FUNCTION; Schema: own; Owner: tpv_owner
CREATE FUNCTION own.grant_role(args jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $_$
declare
  role text := args ->> 'role';
  faults jsonb;
  node integer;
  given sec.role_grant;
begin
  perform sec.require('employee.write');
  perform sec.decided_by_central();
  faults := tpv.form_faults(args,
    'employee_id uuid!; role string!; node code; department code; valid_from date; valid_to date');
  if not exists (select from sec.role r where r.role = args ->> 'role') and not faults @? '$[*] ? (@.pointer == "/role")' then
    faults := faults || sec.fault('/role', 'format', 'there is no such role');
  end if;
  perform sec.refuse_faults((select jsonb_agg(f order by f ->> 'pointer') from jsonb_array_elements(faults) f));
  select s.node_id into node from org.store s where s.code = args ->> 'node' and not s.deleted;
  select coalesce(jsonb_agg(sec.fault(f.pointer, f.code, f.detail) -> 0 order by f.pointer), '[]') into faults
    from (values
      ('/node', 'unknown-store', 'there is no such store', args ->> 'node' is not null and node is null),
      ('/node', 'missing', 'a lease is one of a department of a store', role = 'concessionaire' and args ->> 'node' is null),
      ('/node', 'not-here', 'an administrator is one of the whole chain', role = 'admin' and args ->> 'node' is not null),
      ('/department', 'missing', 'a lease is one of a department of a store', role = 'concessionaire' and args ->> 'department' is null),
      ('/department', 'not-here', 'a department is one of a store', args ->> 'department' is not null and args ->> 'node' is null),
      ('/department', 'unknown-department', 'the store has no such department',
       node is not null and args ->> 'department' is not null and not exists (
         select from org.department d where d.node_id = node and d.code = args ->> 'department' and not d.deleted)),
      ('/valid_to', 'order', 'it is before the first day',
       (args ->> 'valid_to')::date < coalesce((args ->> 'valid_from')::date, sec.today(node)))) as f (pointer, code, detail, is_so)
   where f.is_so;
  perform sec.refuse_faults(faults);
  if not exists (select from own.employee e where e.employee_id = (args ->> 'employee_id')::uuid) then
    perform sec.refuse_hidden();
  end if;
  given.employee_id := args ->> 'employee_id';
  given.role := role;
  given.node_id := node;
  given.department_code := args ->> 'department';
  given.valid_from := coalesce((args ->> 'valid_from')::date, sec.today(node));
  given.valid_to := args ->> 'valid_to';
  perform sec.require_no_other(given);
  insert into sec.role_grant (employee_id, role, node_id, department_code, valid_from, valid_to)
  values (given.employee_id, given.role, given.node_id, given.department_code, given.valid_from, given.valid_to)
  returning * into given;
  insert into sec.audit (event, subject, detail)
  values ('ROLE_GRANTED', format('employee %s', given.employee_id),
          concat_ws(' ', given.role, 'of node ' || given.node_id, 'department ' || given.department_code));
  set constraints all immediate;
  return (select to_jsonb(g) from own.role_grant g where g.role_grant_id = given.role_grant_id);
end $_$;
COMMENT ON FUNCTION own.grant_role(args jsonb) IS 'Gives an employee a role: in the chain, in a store, or in a department. A lease says its days.';

-- loosen_consent(jsonb); Type: FUNCTION; Schema: own; Owner: tpv_owner
CREATE FUNCTION own.loosen_consent(args jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  customer uuid;
begin
  perform sec.require('customer.write');
  perform sec.refuse_faults(tpv.form_faults(args, 'customer_id uuid!; consent consent!; why why!'));
  customer := args ->> 'customer_id';
  perform from party.customer c where c.customer_id = customer and not c.deleted for update;
  if not found then
    perform sec.refuse_hidden();
  end if;
  perform sync.loosen('party.customer', customer, 'consent', args ->> 'consent', args ->> 'why');
  return sec.customer_body(customer);
end $$;
COMMENT ON FUNCTION own.loosen_consent(args jsonb) IS 'Sets a looser consent of a customer on her word; the reason says where it is.';

-- make_alias(jsonb); Type: FUNCTION; Schema: own; Owner: tpv_owner
CREATE FUNCTION own.make_alias(args jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform sec.require('conflict.settle');
  perform sec.refuse_faults(tpv.form_faults(args, 'table_name key!; key uuid!; of_key uuid'));
  perform sec.check_writer(args ->> 'table_name');
  begin
    perform sync.make_alias(args ->> 'table_name', (args ->> 'key')::uuid, (args ->> 'of_key')::uuid);
  exception
    when no_data_found then perform sec.refuse_hidden();
    when data_exception or object_not_in_prerequisite_state then perform sec.refuse_conflict(sqlerrm, 'state');
  end;
  return args;
end $$;
COMMENT ON FUNCTION own.make_alias(args jsonb) IS 'Makes a row an alias of the one that it duplicates; without of_key a row of its own again.';

-- make_password_link(jsonb); Type: FUNCTION; Schema: own; Owner: tpv_owner
CREATE FUNCTION own.make_password_link(args jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
declare
  until timestamptz;
begin
  perform sec.require('employee.write');
  perform sec.decided_by_central();
  perform sec.refuse_faults(tpv.form_faults(args, 'employee_id uuid!; link_hash hex32!; expires_at instant'));
  until := coalesce((args ->> 'expires_at')::timestamptz, date_trunc('second', now()) + interval '1 day');
  if until <= now() or until > now() + interval '7 days' then
    perform sec.refuse_faults(sec.fault('/expires_at', 'range', 'it is within the next seven days'));
  end if;
  perform sec.make_password_link((args ->> 'employee_id')::uuid, decode(args ->> 'link_hash', 'hex'), until);
  return jsonb_build_object('employee_id', args ->> 'employee_id', 'expires_at', until);
end $$;
COMMENT ON FUNCTION own.make_password_link(args jsonb) IS 'Makes a link by which an employee sets a password, once. Only the hash of its secret is kept.';

-- once(text, bytea, text, jsonb); Type: FUNCTION; Schema: own; Owner: tpv_owner
CREATE FUNCTION own.once(key text, fingerprint bytea, call text, args jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $_$
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
end $_$;
COMMENT ON FUNCTION own.once(key text, fingerprint bytea, call text, args jsonb) IS 'Calls a function of schema own once for a key, whatever happens to the answer on its way: who asks again under the key gets the same answer. fingerprint is a hash of the request. Without a key it is just called.';

-- register_gateway_key(jsonb); Type: FUNCTION; Schema: own; Owner: tpv_owner
CREATE FUNCTION own.register_gateway_key(args jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform sec.require('employee.write');
  perform sec.decided_by_central();
  perform sec.refuse_faults(tpv.form_faults(args, 'node code!; public_key key32!'));
  perform sec.register_gateway_key(args ->> 'node', args ->> 'public_key');
  return jsonb_build_object('node', args ->> 'node', 'registered', true);
end $$;
COMMENT ON FUNCTION own.register_gateway_key(args jsonb) IS 'Registers the public key of a store''s gateway, which passwords of those who work there are sealed for.';

-- decide_receipt(jsonb, text, text, text); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.decide_receipt(args jsonb, permission text, members text, decision text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
declare
  here integer := org.this_node();
  receipt uuid;
  elsewhere integer;
  why text := args ->> 'why';
begin
  perform sec.require(permission);
  perform sec.refuse_faults(tpv.form_faults(args, members));
  receipt := args ->> 'receipt_id';
  if not exists (select from own.receipt r where r.node_id = here and r.receipt_id = receipt) then
    select r.node_id into elsewhere from own.receipt r
     where r.node_id = any (array(select s.node_id from org.store s)) and r.receipt_id = receipt;
    if elsewhere is null then
      perform sec.refuse_hidden();
    end if;
    perform sec.refuse_conflict('that is decided at the store of the receipt', 'decided-by-store',
                                (select s.gateway_url from org.store s where s.node_id = elsewhere and not s.deleted));
  end if;
  begin
    case decision
      when 'release' then perform sales.release(receipt, why, args ->> 'file_name');
      when 'void' then perform sales.void(receipt, why);
      when 'withdraw' then perform dat.withdraw(receipt, why);
      when 'render_again' then perform dat.render_again(receipt, why);
    end case;
  exception
    when data_exception then perform sec.refuse_conflict(sqlerrm, 'state');
    when unique_violation then perform sec.refuse_conflict(sqlerrm, 'name-taken');
  end;
  return sec.receipt_body(here, receipt);
end $$;
COMMENT ON FUNCTION sec.decide_receipt(args jsonb, permission text, members text, decision text) IS 'What the functions about a receipt have in common: it must be one of this store that the caller sees.';

-- release(jsonb); Type: FUNCTION; Schema: own; Owner: tpv_owner
CREATE FUNCTION own.release(args jsonb) RETURNS jsonb
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT sec.decide_receipt(args, 'receipt.release'::text, 'receipt_id uuid!; why why!; file_name file'::text, 'release'::text) AS decide_receipt;
END;
COMMENT ON FUNCTION own.release(args jsonb) IS 'Releases a held receipt: it counts, and its .dat is published. file_name replaces a name that is taken.';

-- render_again(jsonb); Type: FUNCTION; Schema: own; Owner: tpv_owner
CREATE FUNCTION own.render_again(args jsonb) RETURNS jsonb
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT sec.decide_receipt(args, 'dat.decide'::text, 'receipt_id uuid!; why why!'::text, 'render_again'::text) AS decide_receipt;
END;
COMMENT ON FUNCTION own.render_again(args jsonb) IS 'Renders the .dat of a receipt with the present layout, and publishes it in place of the old one.';

-- replay(jsonb); Type: FUNCTION; Schema: own; Owner: tpv_owner
CREATE FUNCTION own.replay(args jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  item bigint;
begin
  perform sec.require('chain.decide');
  perform sec.refuse_faults(tpv.form_faults(args, 'quarantine_id integer!'));
  item := args ->> 'quarantine_id';
  if not exists (select from own.quarantine q where q.quarantine_id = item) then
    perform sec.refuse_hidden();
  end if;
  begin
    return jsonb_build_object('quarantine_id', item, 'resolved', sync.replay(item));
  exception
    when no_data_found then perform sec.refuse_hidden();
    when data_exception or object_not_in_prerequisite_state then perform sec.refuse_conflict(sqlerrm, 'state');
  end;
  return null;
end $$;
COMMENT ON FUNCTION own.replay(args jsonb) IS 'Tries again what waits in quarantine.';

-- scan(jsonb); Type: FUNCTION; Schema: own; Owner: tpv_owner
CREATE FUNCTION own.scan(args jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
declare
  node integer;
  place text := coalesce(args ->> 'department', '');
  code text := btrim(args ->> 'code');
  today date;
  rules jsonb;
  decoded jsonb;
  found_id uuid;
  product catalog.product;
begin
  perform sec.require('catalog.read');
  perform sec.refuse_faults(tpv.form_faults(args, 'code key!; department key; node integer'));
  node := coalesce((args ->> 'node')::integer, org.this_node());
  -- A place that is not there is not seen either.
  if not tpv.may_see_node(node) or not exists (select from org.node n where n.node_id = node)
     or place <> '' and not tpv.may_see(node, place, null) then
    perform sec.refuse_hidden();
  end if;
  today := sec.today(node);
  found_id := catalog.find_product(node, place, code, today);
  select * into product from catalog.product p where p.product_id = found_id;
  if product.product_id is null then
    perform sec.refuse_hidden();
  end if;
  -- What the label says, by the rules that hold for whoever scans.
  select coalesce(jsonb_agg(r), '[]') into rules
    from jsonb_array_elements(catalog.barcode_rules(node)) r
   where coalesce(r ->> 'department', place) = place
     and today between coalesce((r ->> 'valid_from')::date, '-infinity') and coalesce((r ->> 'valid_to')::date, 'infinity');
  decoded := tpv.barcode_decode(code, rules);
  return jsonb_build_object(
    'product_id', product.product_id, 'sku', product.sku, 'description', product.description, 'unit', product.unit,
    'how', case when exists (select from catalog.barcode b
                              where b.gtin14 = tpv.gtin14(code) and b.product_id = product.product_id and not b.deleted) then 'gtin'
                when tpv.item_digits(code, place, today, rules) is not null then 'rule'
                else 'local' end,
    'gtin14', tpv.gtin14(code),
    'price', catalog.price_at(product.product_id, node, now())::text,
    'tax_rate', catalog.tax_rate_at(coalesce(product.tax_id, (
      select d.tax_id from org.department d where d.node_id = node and d.code = place and not d.deleted)), today)::text,
    'label_kind', decoded ->> 'value_kind',
    'label_value', decoded ->> 'value');
end $$;
COMMENT ON FUNCTION own.scan(args jsonb) IS 'What a code means that was scanned or keyed in at a department of a store, what that costs there now, and what the label itself says: a price, a weight or a count.';

-- settle(jsonb); Type: FUNCTION; Schema: own; Owner: tpv_owner
CREATE FUNCTION own.settle(args jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform sec.require('conflict.settle');
  perform sec.refuse_faults(tpv.form_faults(args, 'table_name key!; key uuid!; column_name key!; node_id integer!; seq integer!'));
  perform sec.check_writer(args ->> 'table_name');
  if not exists (select from own.sibling s
                  where s.table_name = args ->> 'table_name' and s.key = args ->> 'key' and s.column_name = args ->> 'column_name'
                    and s.node_id = (args ->> 'node_id')::bigint and s.seq = (args ->> 'seq')::bigint) then
    perform sec.refuse_hidden();
  end if;
  begin
    perform sync.resolve_conflict(args ->> 'table_name', args ->> 'key', args ->> 'column_name', (args ->> 'node_id')::integer,
                                  (args ->> 'seq')::bigint);
  exception when data_exception or check_violation then
    perform sec.refuse_conflict(sqlerrm, 'state');
  end;
  return args - 'node_id' - 'seq' || '{"settled": true}';
end $$;
COMMENT ON FUNCTION own.settle(args jsonb) IS 'Settles a conflict: one of its values wins.';

-- unblock(jsonb); Type: FUNCTION; Schema: own; Owner: tpv_owner
CREATE FUNCTION own.unblock(args jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  employee uuid;
begin
  perform sec.require('employee.block');
  perform sec.refuse_faults(tpv.form_faults(args, 'employee_id uuid!; why why!'));
  employee := args ->> 'employee_id';
  if not exists (select from own.employee e where e.employee_id = employee) then
    perform sec.refuse_hidden();
  end if;
  perform sec.require_all_of(employee);
  if exists (select from sec.block b
              cross join lateral jsonb_to_recordset(coalesce(b.scope, '[{}]')) as s (node integer, department text)
              where b.employee_id = employee and not tpv.may_see(s.node, s.department, null)) then
    raise exception 'somebody blocked her who looks after more than you' using errcode = 'TP403';
  end if;
  delete from sec.block b where b.employee_id = employee;
  if not found then
    perform sec.refuse_conflict('she is not blocked', 'state');
  end if;
  insert into sec.audit (event, subject, detail) values ('UNBLOCKED', format('employee %s', employee), args ->> 'why');
  return jsonb_build_object('employee_id', employee, 'blocked', false);
end $$;
COMMENT ON FUNCTION own.unblock(args jsonb) IS 'Lets an employee in again who was blocked at this node, by whoever has at least the scope of the one who blocked her.';

-- void(jsonb); Type: FUNCTION; Schema: own; Owner: tpv_owner
CREATE FUNCTION own.void(args jsonb) RETURNS jsonb
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT sec.decide_receipt(args, 'receipt.void'::text, 'receipt_id uuid!; why why!'::text, 'void'::text) AS decide_receipt;
END;
COMMENT ON FUNCTION own.void(args jsonb) IS 'Voids a receipt: it does not count, and its .dat is withdrawn. Nothing undoes it.';

-- withdraw(jsonb); Type: FUNCTION; Schema: own; Owner: tpv_owner
CREATE FUNCTION own.withdraw(args jsonb) RETURNS jsonb
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT sec.decide_receipt(args, 'dat.decide'::text, 'receipt_id uuid!; why why!'::text, 'withdraw'::text) AS decide_receipt;
END;
COMMENT ON FUNCTION own.withdraw(args jsonb) IS 'Takes the .dat of a receipt away from the checkout. The receipt stays as it is.';

-- count_authz(); Type: FUNCTION; Schema: party; Owner: tpv_owner
CREATE FUNCTION party.count_authz() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if (new.active, new.deleted) is distinct from (old.active, old.deleted) then
    new.authz := old.authz + 1;
  end if;
  return new;
end $$;
COMMENT ON FUNCTION party.count_authz() IS 'Counts a change of whether an employee may log in, so that what she holds of before is refused.';

-- erase(uuid, text); Type: FUNCTION; Schema: party; Owner: tpv_owner
CREATE FUNCTION party.erase(customer uuid, why text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  same uuid;
  erased bigint := 0;
begin
  lock table tpv_lock.merge in exclusive mode;
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

-- note_guess(); Type: FUNCTION; Schema: rollup; Owner: tpv_owner
CREATE FUNCTION rollup.note_guess() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  before record;
begin
  before := case when tg_op = 'UPDATE' then old else new end;
  case tg_table_name
    when 'product' then
      insert into rollup.guess_due (what, code)
      select 'code', b.gtin14 from catalog.barcode b where b.product_id = new.product_id
      union
      select 'code', l.code from catalog.local_code l where l.product_id = new.product_id;
    when 'barcode' then
      insert into rollup.guess_due (what, code) select distinct 'code', c from unnest(array[before.gtin14, new.gtin14]) c;
    when 'local_code' then
      insert into rollup.guess_due (what, code) select distinct 'code', c from unnest(array[before.code, new.code]) c;
    when 'department' then
      insert into rollup.guess_due (what, node_id, department)
      values ('department', before.node_id, before.code), ('department', new.node_id, new.code);
    when 'barcode_rule' then
      insert into rollup.guess_due (what, node_id) values ('rules', before.node_id), ('rules', new.node_id);
    when 'tax_rate' then
      -- No business day is of the future.
      if least(before.valid_from, new.valid_from) <= current_date + 1 then
        insert into rollup.guess_due (what) values ('all');
      end if;
    else
      insert into rollup.guess_due (what) values ('all');
  end case;
  return null;
end $$;
COMMENT ON FUNCTION rollup.note_guess() IS 'Trigger of what guesses of tax rates follow from: notes for the fold what is concerned.';

-- rebuild(integer, date, date); Type: FUNCTION; Schema: rollup; Owner: tpv_owner
CREATE FUNCTION rollup.rebuild(node integer DEFAULT NULL::integer, from_date date DEFAULT NULL::date, to_date date DEFAULT NULL::date) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  found_buckets bigint;
begin
  -- A table without a key, so that nobody waits for whoever does this in a long transaction.
  insert into sync.touched (at, entity, node_id, business_date, department)
  select now(), 'rollup.bucket', s.node_id, s.business_date, s.department
    from (select r.node_id, r.business_date, r.department from sales.receipt r
           where r.business_date between coalesce(rebuild.from_date, '-infinity') and coalesce(rebuild.to_date, 'infinity')
           group by 1, 2, 3
          union
          select b.node_id, b.business_date, b.department from rollup.bucket b
           where b.business_date between coalesce(rebuild.from_date, '-infinity') and coalesce(rebuild.to_date, 'infinity')) s
   where rebuild.node is null or s.node_id = rebuild.node;
  get diagnostics found_buckets = row_count;
  return found_buckets;
end $$;
COMMENT ON FUNCTION rollup.rebuild(node integer, from_date date, to_date date) IS 'Has the roll-ups of these business days summed up again: how many buckets that are. Null means all. The fold does it in the background, and sums stay readable; sync.touched and rollup.due are what is left.';

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
COMMENT ON FUNCTION sales.ingest_files(terminal text, files bytea[], names text[]) IS 'Receives files of one terminal: one answer for each, in their order. A fault of one file never touches another. At most 64 at a time. A name with a folder that is a day, 20261128/4711.json, says that the file is one of the archive, and arrived on that day.';

-- rebuild_projections(integer, date, date, boolean, integer); Type: FUNCTION; Schema: sales; Owner: tpv_owner
CREATE FUNCTION sales.rebuild_projections(node integer DEFAULT NULL::integer, from_date date DEFAULT NULL::date, to_date date DEFAULT NULL::date, dry_run boolean DEFAULT false, most integer DEFAULT NULL::integer) RETURNS TABLE(projection text, looked_at bigint, missing bigint, wrong bigint, unexplained bigint, busy bigint)
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$ select * from tpv.rebuild_projections(node, from_date, to_date, dry_run, most) $$;
COMMENT ON FUNCTION sales.rebuild_projections(node integer, from_date date, to_date date, dry_run boolean, most integer) IS 'Compares the rows of these nodes and business dates with the documents, and writes only the differences: missing rows are added, wrong ones put right, and those that no document explains removed. Null means all. One transaction: tpv-migrate rebuild does it day by day. busy: left alone, since a session keeps the rows locked. most: writes at most so many receipts. dry_run: writes nothing.';

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
COMMENT ON FUNCTION sales.release(receipt_id uuid, why text, file_name text) IS 'Releases a held receipt: it counts, and its .dat is published. file_name replaces a name that is taken. The reason stays for ever and names no person.';

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

-- early_event; Type: TABLE; Schema: sales; Owner: tpv_owner
CREATE TABLE sales.early_event (
    node_id integer NOT NULL,
    receipt_id uuid NOT NULL
)
WITH (autovacuum_vacuum_threshold='0', autovacuum_vacuum_scale_factor='0');
COMMENT ON TABLE sales.early_event IS 'Receipts that are not here while documents about them are, a projection. It is almost always empty, and vacuumed at once, since every receipt that arrives asks whether it has a page.';
COMMENT ON COLUMN sales.early_event.node_id IS 'Node of the receipt.';
COMMENT ON COLUMN sales.early_event.receipt_id IS 'The receipt.';

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
COMMENT ON COLUMN sales.receipt.printed_text IS 'The printed time in its one form: the store''s wall clock with its offset. The file in sales.raw has what the terminal wrote.';
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

-- receipt_event; Type: TABLE; Schema: sales; Owner: tpv_owner
CREATE TABLE sales.receipt_event (
    node_id integer NOT NULL,
    receipt_id uuid NOT NULL,
    doc_node integer NOT NULL,
    doc_id uuid NOT NULL,
    kind text NOT NULL,
    hlc bigint NOT NULL,
    body text NOT NULL,
    business_date date
);
COMMENT ON TABLE sales.receipt_event IS 'Documents about receipts after they were printed, a projection: intake, release, void, withdraw, render.';
COMMENT ON COLUMN sales.receipt_event.node_id IS 'Node of the receipt.';
COMMENT ON COLUMN sales.receipt_event.receipt_id IS 'The receipt.';
COMMENT ON COLUMN sales.receipt_event.doc_node IS 'The node that wrote the document.';
COMMENT ON COLUMN sales.receipt_event.doc_id IS 'The document.';
COMMENT ON COLUMN sales.receipt_event.kind IS 'Its kind.';
COMMENT ON COLUMN sales.receipt_event.hlc IS 'When it was recorded.';
COMMENT ON COLUMN sales.receipt_event.body IS 'Its body: why, and by whom. It names no customer.';
COMMENT ON COLUMN sales.receipt_event.business_date IS 'Its business date. A row without one was added by hand; a rebuild of any day of its node removes it.';

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
    arrived_on date,
    CONSTRAINT receipt_key_first_outcome_check CHECK ((first_outcome = ANY (ARRAY['accepted'::text, 'held'::text])))
);
COMMENT ON TABLE sales.receipt_key IS 'Which receipt has which number: it decides whether a receipt is new. At its own store only.';
COMMENT ON COLUMN sales.receipt_key.terminal IS 'The terminal.';
COMMENT ON COLUMN sales.receipt_key.printed_date IS 'The printed date on the store''s calendar.';
COMMENT ON COLUMN sales.receipt_key.series IS 'Ticket series; empty when there is none.';
COMMENT ON COLUMN sales.receipt_key.receipt_number IS 'The number as printed, receiptId.';
COMMENT ON COLUMN sales.receipt_key.variant IS 'Empty for the first; the content hash for others that claim the same number; the id where the printed date identifies nothing.';
COMMENT ON COLUMN sales.receipt_key.receipt_id IS 'The receipt, wire.doc.doc_id.';
COMMENT ON COLUMN sales.receipt_key.business_date IS 'Its business date, fixed at first acceptance.';
COMMENT ON COLUMN sales.receipt_key.content_hash IS 'SHA-256 of its canonical form.';
COMMENT ON COLUMN sales.receipt_key.first_outcome IS 'The answer to the first delivery: accepted or held.';
COMMENT ON COLUMN sales.receipt_key.flags IS 'The flags it was given then.';
COMMENT ON COLUMN sales.receipt_key.arrived_on IS 'The day of its first arrival, where the printed date is out of range and so identifies nothing; else null.';

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

-- this_node; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.this_node (
    only_one boolean DEFAULT true NOT NULL,
    node_id integer NOT NULL,
    CONSTRAINT this_node_only_one_check CHECK (only_one)
);
COMMENT ON TABLE sync.this_node IS 'Which node this database is. One row, never replicated.';
COMMENT ON COLUMN sync.this_node.only_one IS 'Keeps the table at one row.';
COMMENT ON COLUMN sync.this_node.node_id IS 'The node.';

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
COMMENT ON COLUMN wire.doc.doc_id IS 'Identity, a uuid v8 derived from what the document is about; it begins with the minute of that.';
COMMENT ON COLUMN wire.doc.business_date IS 'The business day it belongs to, fixed at first acceptance.';
COMMENT ON COLUMN wire.doc.kind IS 'receipt, intake, release, void, withdraw, render or day_close.';
COMMENT ON COLUMN wire.doc.to_node IS 'The node it is addressed to; null for everybody who subscribes. A chain such as >2 has the documents that are addressed to node 2, and no others.';
COMMENT ON COLUMN wire.doc.hlc IS 'When it was recorded: Unix milliseconds in the upper 48 bits, a counter below.';
COMMENT ON COLUMN wire.doc.schema_version IS 'Version of the bodies of its kind.';
COMMENT ON COLUMN wire.doc.chain IS 'The hash chain that it continues: T04 for a terminal''s, empty for the node''s own, >2 for what is addressed to node 2; T04~2 is the second life of T04, after a restore. Which terminal a receipt is of stands in its body.';
COMMENT ON COLUMN wire.doc.chain_seq IS 'Place in that hash chain, from 1, without gaps.';
COMMENT ON COLUMN wire.doc.prev_hash IS 'Link hash of the document before; 32 zero bytes at the start.';
COMMENT ON COLUMN wire.doc.body IS 'Canonical JSON text: sorted keys, plain numbers, NFC.';
COMMENT ON COLUMN wire.doc.content_hash IS 'sha256(convert_to(body, ''UTF8'')).';

-- slices(integer, date, date); Type: FUNCTION; Schema: sales; Owner: tpv_owner
CREATE FUNCTION sales.slices(node integer DEFAULT NULL::integer, from_date date DEFAULT NULL::date, to_date date DEFAULT NULL::date) RETURNS TABLE(node_id integer, business_date date, documents bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT s.node_id,
     s.business_date,
     (sum(s.documents))::bigint AS sum
    FROM ( SELECT d.node_id,
             d.business_date,
             count(*) AS documents
            FROM wire.doc d
           WHERE ((d.business_date >= COALESCE(slices.from_date, '-infinity'::date)) AND (d.business_date <= COALESCE(slices.to_date, 'infinity'::date)))
           GROUP BY d.node_id, d.business_date
         UNION ALL
          SELECT r.node_id,
             r.business_date,
             0
            FROM sales.receipt r
           WHERE ((r.business_date >= COALESCE(slices.from_date, '-infinity'::date)) AND (r.business_date <= COALESCE(slices.to_date, 'infinity'::date)))
           GROUP BY r.node_id, r.business_date
         UNION ALL
          SELECT l.node_id,
             l.business_date,
             0
            FROM sales.receipt_line l
           WHERE ((l.business_date >= COALESCE(slices.from_date, '-infinity'::date)) AND (l.business_date <= COALESCE(slices.to_date, 'infinity'::date)))
           GROUP BY l.node_id, l.business_date
         UNION ALL
          SELECT e.node_id,
             e.business_date,
             0
            FROM sales.receipt_event e
           WHERE ((e.business_date >= COALESCE(slices.from_date, '-infinity'::date)) AND (e.business_date <= COALESCE(slices.to_date, 'infinity'::date)))
           GROUP BY e.node_id, e.business_date
         UNION ALL
          SELECT c.node_id,
             c.business_date,
             0
            FROM sales.day_close c
           WHERE ((c.business_date >= COALESCE(slices.from_date, '-infinity'::date)) AND (c.business_date <= COALESCE(slices.to_date, 'infinity'::date)))
         UNION ALL
          SELECT t.node_id,
             k.business_date,
             0
            FROM (sync.this_node t
              CROSS JOIN sales.receipt_key k)
           WHERE ((k.business_date >= COALESCE(slices.from_date, '-infinity'::date)) AND (k.business_date <= COALESCE(slices.to_date, 'infinity'::date)))
           GROUP BY t.node_id, k.business_date
         UNION ALL
          SELECT u.node_id,
             COALESCE(slices.from_date, slices.to_date, CURRENT_DATE) AS "coalesce",
             0
            FROM ( SELECT e.node_id
                    FROM sales.early_event e
                 UNION
                  SELECT e.node_id
                    FROM sales.receipt_event e
                   WHERE (e.business_date IS NULL)) u) s
   WHERE ((slices.node IS NULL) OR (s.node_id = slices.node))
   GROUP BY s.node_id, s.business_date
   ORDER BY s.business_date, s.node_id;
END;
COMMENT ON FUNCTION sales.slices(node integer, from_date date, to_date date) IS 'What sales.rebuild_projections goes through: each node and business date that has documents or rows, with how many documents there are. Null means all.';

-- void(uuid, text); Type: FUNCTION; Schema: sales; Owner: tpv_owner
CREATE FUNCTION sales.void(receipt_id uuid, why text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$ select tpv.void_receipt(receipt_id, why) $$;
COMMENT ON FUNCTION sales.void(receipt_id uuid, why text) IS 'Voids a receipt: it does not count, and its .dat is withdrawn. Nothing undoes it; a void beats a release. The reason stays for ever and names no person.';

-- actor(); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.actor() RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT tpv.actor() AS actor;
END;
COMMENT ON FUNCTION sec.actor() IS 'Who acts: employee:<uuid>, the person whom the gateway vouches for in this transaction; else login:<name>, the login of the session. An id and no name of a person: it stays for ever.';

-- admit(uuid, uuid, text, integer, timestamp with time zone); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.admit(session uuid, employee uuid, role text, authz integer, expires_at timestamp with time zone) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if not sec.may_log_in(employee)
     or exists (select from party.employee e where e.employee_id = employee and e.authz > admit.authz)
     or not exists (select from sec.grants_now(employee) g where g.role = admit.role) then
    raise exception 'central''s session does not count here' using errcode = 'TP401';
  end if;
  insert into sec.session as s (session_id, employee_id, role, authz, expires_at, admitted)
  values (session, employee, admit.role, admit.authz, admit.expires_at, true)
  on conflict (session_id) do update
    set authz = greatest(s.authz, excluded.authz), expires_at = greatest(s.expires_at, excluded.expires_at),
        rotated_at = clock_timestamp(), last_used_at = clock_timestamp()
    where s.admitted and s.ended_at is null and s.employee_id = excluded.employee_id and s.role = excluded.role;
  if not found then
    raise exception 'that session was ended here' using errcode = 'TP401';
  end if;
end $$;
COMMENT ON FUNCTION sec.admit(session uuid, employee uuid, role text, authz integer, expires_at timestamp with time zone) IS 'Lets a session of central''s gateway in, whose token was checked and is good until expires_at. Can be repeated. authz may be ahead of what this store has heard, and not behind.';

-- issuer_key; Type: TABLE; Schema: sec; Owner: tpv_owner
CREATE TABLE sec.issuer_key (
    issuer_key_id uuid DEFAULT tpv.uuid7() NOT NULL,
    kid text NOT NULL,
    public_key text NOT NULL,
    url text,
    retired_at timestamp with time zone,
    deleted boolean DEFAULT false NOT NULL,
    CONSTRAINT issuer_key_check CHECK ((deleted OR (kid ~ '^[A-Za-z0-9._-]{1,64}$'::text))),
    CONSTRAINT issuer_key_check1 CHECK ((deleted OR (public_key ~ '^[A-Za-z0-9_-]{43}$'::text))),
    CONSTRAINT issuer_key_url_check CHECK ((url ~ '^https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[^[:space:]@]*)?$'::text))
);
COMMENT ON TABLE sec.issuer_key IS 'The keys that central''s gateway signs tokens with, Ed25519. Stores believe these tokens.';
COMMENT ON COLUMN sec.issuer_key.issuer_key_id IS 'Key.';
COMMENT ON COLUMN sec.issuer_key.kid IS 'The name of the key in the header of a token.';
COMMENT ON COLUMN sec.issuer_key.public_key IS 'The public key, 32 bytes in base64url. The other half is a file at central.';
COMMENT ON COLUMN sec.issuer_key.url IS 'Where central''s gateway answers, as http://host:port or https://host:port; null when it does not say.';
COMMENT ON COLUMN sec.issuer_key.retired_at IS 'When it was signed with for the last time; null while it is in use. Tokens live for less than an hour.';
COMMENT ON COLUMN sec.issuer_key.deleted IS 'Whether it was deleted. Rows are never removed.';

-- central_url(); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.central_url() RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT k.url
    FROM sec.issuer_key k
   WHERE ((NOT k.deleted) AND (k.retired_at IS NULL) AND (k.url IS NOT NULL))
   ORDER BY k.issuer_key_id DESC
  LIMIT 1;
END;
COMMENT ON FUNCTION sec.central_url() IS 'Where central''s gateway answers, as its signing key says; null when it does not say.';

-- check_grant(); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.check_grant() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if not new.deleted and not exists (select from sec.role r where r.role = new.role) then
    raise exception 'there is no such role' using errcode = '23514', hint = 'They are in sec.role.';
  end if;
  if not new.deleted and (not isfinite(new.valid_from) or not isfinite(new.valid_to) or new.valid_to < new.valid_from) then
    raise exception 'a grant holds from a day to a later one' using errcode = '23514',
      hint = 'Leave valid_to out where it has no end.';
  end if;
  return new;
end $$;
COMMENT ON FUNCTION sec.check_grant() IS 'Refuses a grant of no role, and one whose days are not in order.';

-- check_writer(text); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.check_writer(table_name text) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  writer text := (select t.writer from sync.tracked_table t where t.table_name = check_writer.table_name);
begin
  if writer is null or not sec.may_read_table(check_writer.table_name) then
    perform sec.refuse_hidden();
  elsif writer = 'central' then
    perform sec.decided_by_central();
  end if;
end $$;
COMMENT ON FUNCTION sec.check_writer(table_name text) IS 'Refuses a table that nobody shares or may see, and in a store one that central decides.';

-- claim_key(text, bytea); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.claim_key(key text, fingerprint bytea) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '2s'
    AS $$
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
COMMENT ON FUNCTION sec.claim_key(key text, fingerprint bytea) IS 'Takes a key for the request of this transaction: null. The answer when it was done before.';

-- customer_body(uuid); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.customer_body(customer uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
begin
  -- The version of a row is its operation, which is otherwise written with the commit.
  set constraints all immediate;
  return (select to_jsonb(c) - '{name_key,email_key,phone_key}'::text[] || jsonb_build_object('credit_limit', c.credit_limit::text)
            from own.customer c where c.customer_id = customer_body.customer);
end $$;
COMMENT ON FUNCTION sec.customer_body(customer uuid) IS 'A customer as an answer shows it: amounts are texts. Its version is that after this request.';

-- customer_members(); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.customer_members() RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT 'email email; phone phone; street text; postcode text; city text; country country; tags tags; consent consent; credit_limit money; '::text;
END;
COMMENT ON FUNCTION sec.customer_members() IS 'What a request may say of a customer, but for the name.';

-- decided_by_central(); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.decided_by_central() RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if sync.is_joined_store() then
    perform sec.refuse_conflict('that is decided by central', 'decided-by-central', sec.central_url());
  end if;
end $$;
COMMENT ON FUNCTION sec.decided_by_central() IS 'Refuses a store that has joined a chain what central decides.';

-- employee_body(uuid); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.employee_body(employee uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
begin
  set constraints all immediate;
  return (select to_jsonb(e) from own.employee e where e.employee_id = employee_body.employee);
end $$;
COMMENT ON FUNCTION sec.employee_body(employee uuid) IS 'An employee as an answer shows her. Her version is that after this request.';

-- session; Type: TABLE; Schema: sec; Owner: tpv_owner
CREATE TABLE sec.session (
    session_id uuid DEFAULT gen_random_uuid() NOT NULL,
    employee_id uuid NOT NULL,
    role text NOT NULL,
    authz integer NOT NULL,
    counter integer DEFAULT 1 NOT NULL,
    rotated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    last_used_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    address text,
    user_agent text,
    ended_at timestamp with time zone,
    ended_why text,
    admitted boolean DEFAULT false NOT NULL,
    CONSTRAINT session_check CHECK (((ended_at IS NULL) = (ended_why IS NULL)))
);
COMMENT ON TABLE sec.session IS 'Sessions of people at this node''s gateway. A token names one, and is good while it lasts.';
COMMENT ON COLUMN sec.session.session_id IS 'Key, sid of the tokens.';
COMMENT ON COLUMN sec.session.employee_id IS 'The employee.';
COMMENT ON COLUMN sec.session.role IS 'The role it is for.';
COMMENT ON COLUMN sec.session.authz IS 'party.employee.authz when it began. When the employee has another one the session is over.';
COMMENT ON COLUMN sec.session.counter IS 'The number in the refresh token that is good now.';
COMMENT ON COLUMN sec.session.rotated_at IS 'When that number was given. Twelve hours later the session is over.';
COMMENT ON COLUMN sec.session.created_at IS 'When she logged in.';
COMMENT ON COLUMN sec.session.last_used_at IS 'When it was refreshed last.';
COMMENT ON COLUMN sec.session.expires_at IS 'When it is over, whatever she does.';
COMMENT ON COLUMN sec.session.address IS 'The address she logged in from.';
COMMENT ON COLUMN sec.session.user_agent IS 'The program she logged in with, as it called itself.';
COMMENT ON COLUMN sec.session.ended_at IS 'When it was ended; null while it was not.';
COMMENT ON COLUMN sec.session.ended_why IS 'Why, as a stable code: LOGOUT, REFRESH_REUSED …';
COMMENT ON COLUMN sec.session.admitted IS 'Whether it is one of central''s gateway, whose token was shown here.';

-- end_session(uuid, text); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.end_session(session uuid, why text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 UPDATE sec.session AS s SET ended_at = clock_timestamp(), ended_why = end_session.why
   WHERE ((s.session_id = end_session.session) AND (s.ended_at IS NULL));
END;
COMMENT ON FUNCTION sec.end_session(session uuid, why text) IS 'Ends a session, so that its tokens are refused at once.';

-- end_sessions(uuid, uuid, text); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.end_sessions(employee uuid, except_session uuid, why text) RETURNS integer
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 WITH ended AS (
          UPDATE sec.session AS s SET ended_at = clock_timestamp(), ended_why = end_sessions.why
           WHERE ((s.employee_id = end_sessions.employee) AND (s.ended_at IS NULL) AND (s.session_id IS DISTINCT FROM end_sessions.except_session))
           RETURNING 1 AS "?column?"
         )
  SELECT (count(*))::integer AS count
    FROM ended;
END;
COMMENT ON FUNCTION sec.end_sessions(employee uuid, except_session uuid, why text) IS 'Ends all sessions of an employee at this node but one, and counts them.';

-- enter(uuid, uuid, text, integer); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.enter(session uuid, employee uuid, role text, authz integer) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  scope jsonb;
begin
  -- What it is given is not secret. SET ROLE changes no session_user.
  if session_user <> 'tpv_gateway_user' then
    raise exception 'people enter by the gateway' using errcode = '42501',
      hint = 'What a login of psql sees is in sec.login_scope.';
  end if;
  if current_setting('role') is distinct from 'tpv_' || enter.role then
    raise exception 'the transaction has another role' using errcode = 'TP403';
  end if;
  select jsonb_agg(jsonb_build_object(
           'node', g.node_id, 'department', g.department_code,
           -- Of others the days say only when the grant holds.
           'from', case when g.role = 'concessionaire' then g.valid_from end,
           'to', case when g.role = 'concessionaire' then g.valid_to end))
    into scope
    from sec.session s
    join party.employee e on e.employee_id = s.employee_id
    join sec.role_grant g on g.employee_id = s.employee_id and g.role = s.role
   where s.session_id = enter.session and s.employee_id = enter.employee and s.role = enter.role
     and s.ended_at is null and s.expires_at > now() and s.rotated_at > now() - interval '12 hours'
     and e.active and not e.deleted
     -- A session is of one authz for good, so that nothing that cut her off is undone by what comes
     -- after it. Only in whose session a password was changed has tokens that are older than that.
     -- A store may not have heard yet what central knew when it made the token.
     and case when s.admitted then enter.authz >= e.authz else s.authz = e.authz and enter.authz <= s.authz end
     and not g.deleted and sec.today(g.node_id) between g.valid_from and coalesce(g.valid_to, 'infinity')
     and not exists (select from sec.block b where b.employee_id = s.employee_id);
  if scope is null then
    raise exception 'the session is over' using errcode = 'TP401', hint = 'Log in again.';
  end if;
  perform tpv.enter(enter.employee, enter.role, scope);
end $$;
COMMENT ON FUNCTION sec.enter(session uuid, employee uuid, role text, authz integer) IS 'Makes this transaction one of an employee, with what she may see in this role, until it ends. For the gateway, which has checked a token; refuses one whose session is over, or that was made before what she may, or her password, was changed.';

-- fault(text, text, text); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.fault(pointer text, code text, detail text) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT jsonb_build_array(jsonb_build_object('pointer', pointer, 'code', code, 'detail', detail)) AS jsonb_build_array;
END;
COMMENT ON FUNCTION sec.fault(pointer text, code text, detail text) IS 'A list of one fault of a request: where, a stable code, a sentence.';

-- employee; Type: TABLE; Schema: party; Owner: tpv_owner
CREATE TABLE party.employee (
    employee_id uuid DEFAULT tpv.uuid7() NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    active boolean DEFAULT true NOT NULL,
    authz integer DEFAULT 1 NOT NULL,
    deleted boolean DEFAULT false NOT NULL,
    CONSTRAINT employee_check CHECK ((deleted OR (code ~ '^[a-z0-9][a-z0-9._-]{1,63}$'::text))),
    CONSTRAINT employee_check1 CHECK ((deleted OR (name <> ''::text)))
);
COMMENT ON TABLE party.employee IS 'Employees, and others who log in: concessionaires, auditors.';
COMMENT ON COLUMN party.employee.employee_id IS 'Key. It is what records and documents say of whoever acted, as employee:<uuid>.';
COMMENT ON COLUMN party.employee.code IS 'What she logs in with.';
COMMENT ON COLUMN party.employee.name IS 'Name.';
COMMENT ON COLUMN party.employee.active IS 'Whether she may log in.';
COMMENT ON COLUMN party.employee.authz IS 'Grows with each change of what she may (active, deleted, her rows of sec.role_grant) and of her password. A session is of the number that it began with, and is over when there is another.';
COMMENT ON COLUMN party.employee.deleted IS 'Whether it was deleted. The code can be given again. Rows are never removed.';

-- block; Type: TABLE; Schema: sec; Owner: tpv_owner
CREATE TABLE sec.block (
    employee_id uuid NOT NULL,
    since timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    blocked_by text DEFAULT sec.actor() NOT NULL,
    why text NOT NULL,
    scope jsonb DEFAULT tpv.acting_scope(),
    CONSTRAINT block_why_check CHECK ((why <> ''::text))
);
COMMENT ON TABLE sec.block IS 'Employees whom somebody keeps out at this node, whatever central says: while a store is cut off it does not hear whom central disabled. sec.audit has those that were let in again.';
COMMENT ON COLUMN sec.block.employee_id IS 'The employee.';
COMMENT ON COLUMN sec.block.since IS 'Since when.';
COMMENT ON COLUMN sec.block.blocked_by IS 'Who did it, by sec.actor().';
COMMENT ON COLUMN sec.block.why IS 'The reason. It names no person.';
COMMENT ON COLUMN sec.block.scope IS 'Where whoever did it may look. Who lets her in again may look there too; null is the whole chain.';

-- may_log_in(uuid); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.may_log_in(employee uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT ((EXISTS ( SELECT
            FROM party.employee e
           WHERE ((e.employee_id = may_log_in.employee) AND e.active AND (NOT e.deleted)))) AND (NOT (EXISTS ( SELECT
            FROM sec.block b
           WHERE (b.employee_id = may_log_in.employee)))));
END;
COMMENT ON FUNCTION sec.may_log_in(employee uuid) IS 'Whether an employee is active, and not blocked at this node.';

-- is_joined_store(); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.is_joined_store() RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  return (
    select exists (
      select from sync.peer p join org.node n on n.node_id = p.node_id where n.kind = 'central'));
end $$;
COMMENT ON FUNCTION sync.is_joined_store() IS 'Whether this node is a store that has joined a chain. Central then decides for it.';

-- gateway_key; Type: TABLE; Schema: sec; Owner: tpv_owner
CREATE TABLE sec.gateway_key (
    gateway_key_id uuid DEFAULT tpv.uuid7() NOT NULL,
    node_id integer NOT NULL,
    public_key text NOT NULL,
    deleted boolean DEFAULT false NOT NULL,
    CONSTRAINT gateway_key_check CHECK ((deleted OR (public_key ~ '^[A-Za-z0-9+/]{43}=$'::text)))
);
COMMENT ON TABLE sec.gateway_key IS 'The key of each store''s gateway, X25519: what is sealed with it, that gateway alone can open.';
COMMENT ON COLUMN sec.gateway_key.gateway_key_id IS 'Key.';
COMMENT ON COLUMN sec.gateway_key.node_id IS 'The store.';
COMMENT ON COLUMN sec.gateway_key.public_key IS 'The public key, 32 bytes in base64. The other half is a file beside the gateway.';
COMMENT ON COLUMN sec.gateway_key.deleted IS 'Whether it was deleted. Rows are never removed.';

-- password; Type: TABLE; Schema: sec; Owner: tpv_owner
CREATE TABLE sec.password (
    employee_id uuid NOT NULL,
    phc text NOT NULL,
    changed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT password_phc_check CHECK ((phc ~~ '$argon2id$%'::text))
);
COMMENT ON TABLE sec.password IS 'Passwords of employees, where they are decided: at central.';
COMMENT ON COLUMN sec.password.employee_id IS 'The employee.';
COMMENT ON COLUMN sec.password.phc IS 'The argon2id string.';
COMMENT ON COLUMN sec.password.changed_at IS 'When it was set.';

-- verifier; Type: TABLE; Schema: sec; Owner: tpv_owner
CREATE TABLE sec.verifier (
    verifier_id uuid DEFAULT tpv.uuid7() NOT NULL,
    employee_id uuid NOT NULL,
    node_id integer NOT NULL,
    gateway_key_id uuid NOT NULL,
    sealed text NOT NULL,
    deleted boolean DEFAULT false NOT NULL
);
COMMENT ON TABLE sec.verifier IS 'What a store''s gateway checks a password with: the argon2id string of an employee who has a grant that names the store, sealed for that gateway (crypto_box_seal). Every node has the row.';
COMMENT ON COLUMN sec.verifier.verifier_id IS 'Key.';
COMMENT ON COLUMN sec.verifier.employee_id IS 'The employee.';
COMMENT ON COLUMN sec.verifier.node_id IS 'The store.';
COMMENT ON COLUMN sec.verifier.gateway_key_id IS 'The key that it is sealed for.';
COMMENT ON COLUMN sec.verifier.sealed IS 'The sealed box in base64; empty while a password that was changed is not sealed yet.';
COMMENT ON COLUMN sec.verifier.deleted IS 'Whether it was deleted, since no grant names the store any more. Rows are never removed.';

-- find_login(text); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.find_login(code text) RETURNS TABLE(employee_id uuid, phc text, sealed text, gateway_key text, authz integer)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT e.employee_id,
     p.phc,
     NULLIF(v.sealed, ''::text) AS "nullif",
     k.public_key,
     e.authz
    FROM (((party.employee e
      LEFT JOIN sec.password p ON (((p.employee_id = e.employee_id) AND (NOT sync.is_joined_store()))))
      LEFT JOIN sec.verifier v ON (((v.employee_id = e.employee_id) AND (NOT v.deleted) AND (v.node_id = ( SELECT t.node_id
            FROM sync.this_node t)))))
      LEFT JOIN sec.gateway_key k ON (((k.gateway_key_id = v.gateway_key_id) AND (NOT k.deleted))))
   WHERE ((e.code = find_login.code) AND (NOT e.deleted) AND sec.may_log_in(e.employee_id));
END;
COMMENT ON FUNCTION sec.find_login(code text) IS 'Whose login a name is, and what to check the password with: the argon2id string at central; in a store its sealed form and the public key that it is sealed for. authz is for sec.open_session. No row for a name that nobody may log in with.';

-- throttle; Type: TABLE; Schema: sec; Owner: tpv_owner
CREATE TABLE sec.throttle (
    subject bytea NOT NULL,
    failures integer NOT NULL,
    last_failed_at timestamp with time zone NOT NULL,
    blocked_until timestamp with time zone
)
WITH (fillfactor='70');
COMMENT ON TABLE sec.throttle IS 'Attempts to log in that nobody got in by, and how long the next one has to wait.';
COMMENT ON COLUMN sec.throttle.subject IS 'A hash of what is counted: an account and a source.';
COMMENT ON COLUMN sec.throttle.failures IS 'How many, one after another.';
COMMENT ON COLUMN sec.throttle.last_failed_at IS 'When it failed last. A day later they are forgotten.';
COMMENT ON COLUMN sec.throttle.blocked_until IS 'Until when further attempts are refused; null while there were few.';

-- forget_attempts(bytea); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.forget_attempts(subject bytea) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 DELETE FROM sec.throttle AS t
   WHERE (t.subject = forget_attempts.subject);
END;
COMMENT ON FUNCTION sec.forget_attempts(subject bytea) IS 'Forgets the attempts of somebody who got in.';

-- grant_changed(); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.grant_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  update party.employee e set authz = e.authz + 1
   where e.employee_id = new.employee_id or tg_op = 'UPDATE' and e.employee_id = old.employee_id;
  -- A store where she works no longer has no use for it.
  update sec.verifier v set deleted = true
   where v.employee_id = new.employee_id and not v.deleted
     and not exists (select from sec.role_grant g
                      where g.employee_id = v.employee_id and g.node_id = v.node_id and not g.deleted
                        and coalesce(g.valid_to, 'infinity') >= sec.today(g.node_id));
  return null;
end $$;
COMMENT ON FUNCTION sec.grant_changed() IS 'Counts a change of the grants of an employee, so that tokens of before are refused, and deletes her verifiers for stores that no grant names any more.';

-- today(integer); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.today(node integer DEFAULT NULL::integer) RETURNS date
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  -- Of no setting of the session: TimeZone is anybody's.
  return (
    select (now() at time zone coalesce((
             select s.timezone from org.store s
              where s.node_id = coalesce(today.node, (select t.node_id from sync.this_node t)) and not s.deleted), 'UTC'))::date);
end $$;
COMMENT ON FUNCTION sec.today(node integer) IS 'The date on the wall of a store, of this one if none is given; in UTC where there is no store. It says which grants hold.';

-- role_grant; Type: TABLE; Schema: sec; Owner: tpv_owner
CREATE TABLE sec.role_grant (
    role_grant_id uuid DEFAULT tpv.uuid7() NOT NULL,
    employee_id uuid NOT NULL,
    role text NOT NULL,
    node_id integer,
    department_code text,
    valid_from date NOT NULL,
    valid_to date,
    deleted boolean DEFAULT false NOT NULL,
    CONSTRAINT role_grant_check CHECK (((department_code IS NULL) OR (node_id IS NOT NULL))),
    CONSTRAINT role_grant_check1 CHECK (((role <> 'concessionaire'::text) OR (department_code IS NOT NULL))),
    CONSTRAINT role_grant_check2 CHECK (((role <> 'admin'::text) OR (node_id IS NULL)))
);
COMMENT ON TABLE sec.role_grant IS 'Who has which role, where and from when to when.';
COMMENT ON COLUMN sec.role_grant.role_grant_id IS 'Key.';
COMMENT ON COLUMN sec.role_grant.employee_id IS 'The employee.';
COMMENT ON COLUMN sec.role_grant.role IS 'The role, one of sec.role.';
COMMENT ON COLUMN sec.role_grant.node_id IS 'The only store it holds in; null for the whole chain.';
COMMENT ON COLUMN sec.role_grant.department_code IS 'The only department of that store; null for all.';
COMMENT ON COLUMN sec.role_grant.valid_from IS 'The first day it holds. A concessionaire sees sales from that business date on.';
COMMENT ON COLUMN sec.role_grant.valid_to IS 'The last day it holds; null for always. A concessionaire sees sales up to that business date.';
COMMENT ON COLUMN sec.role_grant.deleted IS 'Whether it was deleted. Rows are never removed.';

-- grants_now(uuid); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.grants_now(employee uuid) RETURNS TABLE(role text, node_id integer, department_code text, valid_from date, valid_to date)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT g.role,
     g.node_id,
     g.department_code,
     g.valid_from,
     g.valid_to
    FROM sec.role_grant g
   WHERE ((g.employee_id = grants_now.employee) AND (NOT g.deleted) AND ((sec.today(g.node_id) >= g.valid_from) AND (sec.today(g.node_id) <= COALESCE(g.valid_to, 'infinity'::date))));
END;
COMMENT ON FUNCTION sec.grants_now(employee uuid) IS 'The grants of an employee that hold today.';

-- issuer_keys(); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.issuer_keys() RETURNS TABLE(kid text, public_key text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT k.kid,
     k.public_key
    FROM sec.issuer_key k
   WHERE ((NOT k.deleted) AND ((k.retired_at IS NULL) OR (k.retired_at > (now() - '01:00:00'::interval))))
   ORDER BY k.kid;
END;
COMMENT ON FUNCTION sec.issuer_keys() IS 'The keys of central''s gateway whose tokens are good.';

-- keep_answer(text, jsonb); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.keep_answer(key text, answer jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  update sec.idempotency i set answer = keep_answer.answer::text where i.actor = sec.actor() and i.key = keep_answer.key;
end $$;
COMMENT ON FUNCTION sec.keep_answer(key text, answer jsonb) IS 'Keeps the answer to the request that has taken a key.';

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

-- lock_customer(jsonb); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.lock_customer(args jsonb) RETURNS party.customer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  customer party.customer;
begin
  select * into customer from party.customer c where c.customer_id = (args ->> 'customer_id')::uuid and not c.deleted for update;
  if customer.customer_id is null then
    perform sec.refuse_hidden();
  end if;
  perform sec.require_version(args -> 'version', (select c.etag from own.customer c where c.customer_id = customer.customer_id));
  return customer;
end $$;
COMMENT ON FUNCTION sec.lock_customer(args jsonb) IS 'Locks the customer of a request, which must name its present version.';

-- make_admin(text, text, text); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.make_admin(code text, name text, phc text) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  employee uuid;
begin
  perform sec.decided_by_central();
  if exists (select from sec.role_grant g
               join party.employee e on e.employee_id = g.employee_id
               join sec.password p on p.employee_id = g.employee_id
              where g.role = 'admin' and not g.deleted and sec.today() between g.valid_from and coalesce(g.valid_to, 'infinity')
                and sec.may_log_in(e.employee_id)) then
    perform sec.refuse_conflict('there is an administrator, who makes all others', 'state');
  end if;
  insert into party.employee (code, name) values (make_admin.code, make_admin.name) returning employee_id into employee;
  insert into sec.role_grant (employee_id, role, valid_from)
  select employee, r, sec.today() - 1 from unnest(array['admin', 'manager']) r;
  insert into sec.audit (event, subject, detail)
  values ('ADMIN_MADE', format('employee %s', employee), 'an administrator of the chain was made from the command line');
  perform sec.set_password(employee, phc, null);
  return employee;
end $$;
COMMENT ON FUNCTION sec.make_admin(code text, name text, phc text) IS 'Makes the first employee: administrator and manager of the whole chain. While one can log in there is no other.';

-- make_password_link(uuid, bytea, timestamp with time zone); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.make_password_link(employee uuid, link_hash bytea, expires_at timestamp with time zone) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform sec.decided_by_central();
  if not exists (select from party.employee e where e.employee_id = employee and not e.deleted) then
    raise exception 'there is no such employee' using errcode = 'TP404';
  end if;
  update sec.password_link l set used_at = clock_timestamp() where l.employee_id = employee and l.used_at is null;
  insert into sec.password_link (link_hash, employee_id, expires_at)
  values (make_password_link.link_hash, employee, make_password_link.expires_at);
  insert into sec.audit (event, subject, detail)
  values ('PASSWORD_LINK', format('employee %s', employee), 'a link to set a password was made');
end $$;
COMMENT ON FUNCTION sec.make_password_link(employee uuid, link_hash bytea, expires_at timestamp with time zone) IS 'Makes a link by which an employee sets a password, in place of the one before.';

-- make_view(text, text, text, text, text[], jsonb, text); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.make_view(name text, permission text, query text, comment text, shows text[], columns jsonb, sorted text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  scoped text[] := array(select r.role from sec.role r
                          where make_view.permission is null
                             or exists (select from sec.permission p where p.role = r.role and p.permission = make_view.permission)
                          order by r.role);
  seen record;
begin
  -- The planner takes this test out of the rows: it is made once. The order stands inside, since a
  -- barrier is planned without its caller's.
  execute format('create or replace view own.%I with (security_barrier = true) as '
                 'select v.* from (%s) v where tpv.acting_role() = any (%L::text[])%s',
                 name, rtrim(query, E'; \n'), scoped, ' order by ' || sorted);
  execute format('comment on view own.%I is %L', name, comment);
  for seen in
    select a.attname, coalesce(columns ->> a.attname::text, sec.shared_comment(a.attname), (
             select col_description(t.attrelid, t.attnum)
               from unnest(shows) with ordinality as s (table_name, nth)
               join pg_attribute t on t.attrelid = s.table_name::regclass and t.attname = a.attname and t.attnum > 0
              order by s.nth limit 1)) as says
      from pg_attribute a
     where a.attrelid = format('own.%I', name)::regclass and a.attnum > 0 and not a.attisdropped
  loop
    if seen.says is null then
      raise exception 'nobody says what column % of own.% is', seen.attname, name using errcode = '22023';
    end if;
    execute format('comment on column own.%I.%I is %L', name, seen.attname, seen.says);
  end loop;
  insert into sec.resource (name, kind, permission, shows)
  values (make_view.name, 'view', make_view.permission, make_view.shows);
  execute format('grant select on own.%I to %s', name, (select string_agg(quote_ident('tpv_' || r), ', ') from unnest(scoped) r));
end $$;
COMMENT ON FUNCTION sec.make_view(name text, permission text, query text, comment text, shows text[], columns jsonb, sorted text) IS 'Makes a view of schema own that is read by the roles with a permission, and by nobody else. shows are the tables whose comments its columns bear; columns are the comments of the others.';

-- may(text); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.may(permission text) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  return (select exists (select from sec.permission p where p.role = tpv.acting_role() and p.permission = may.permission));
end $$;
COMMENT ON FUNCTION sec.may(permission text) IS 'Whether whoever acts has a permission, by the role in which she acts.';

-- may_read_table(text); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.may_read_table(table_name text) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  readable boolean;
begin
  if starts_with(may_read_table.table_name, 'sec.') then
    return false;
  end if;
  select bool_or(sec.may(r.permission)) into readable
    from sec.resource r where r.kind = 'view' and may_read_table.table_name = any (r.shows);
  -- Employees are of the whole chain, and so are the tables that no view shows.
  return coalesce(readable, sec.may('chain.read'))
     and (readable is true and may_read_table.table_name <> 'party.employee' or tpv.may_see_node(null));
end $$;
COMMENT ON FUNCTION sec.may_read_table(table_name text) IS 'Whether whoever acts may see values of a table: by the views of schema own that show it; a table that none shows is for those who look after the whole chain. Of schema sec nobody sees values.';

-- offer(text, text); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.offer(verb text, permission text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  scoped text;
begin
  insert into sec.resource (name, kind, permission) values (verb, 'verb', offer.permission);
  for scoped in
    select r.role from sec.role r
     where offer.permission is null
        or exists (select from sec.permission p where p.role = r.role and p.permission = offer.permission)
  loop
    execute format('grant execute on function own.%I(jsonb) to %I', verb, 'tpv_' || scoped);
  end loop;
end $$;
COMMENT ON FUNCTION sec.offer(verb text, permission text) IS 'Lets the roles with a permission, and nobody else, call a function of schema own.';

-- open_session(uuid, text, text, text, integer); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.open_session(employee uuid, wanted_role text, address text, user_agent text, seen_authz integer DEFAULT NULL::integer) RETURNS TABLE(session_id uuid, counter integer, authz integer, expires_at timestamp with time zone, role text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  granted text;
begin
  select g.role into granted from sec.grants_now(employee) g join sec.role r on r.role = g.role
   where wanted_role is null or g.role = wanted_role
   order by r.rank limit 1;
  if granted is null or not sec.may_log_in(employee) then
    raise exception 'nobody granted that role here' using errcode = 'TP403';
  end if;
  return query
    insert into sec.session as s (employee_id, role, authz, expires_at, address, user_agent)
    select e.employee_id, granted, e.authz, now() + interval '30 days', open_session.address, left(open_session.user_agent, 400)
      from party.employee e where e.employee_id = employee and e.authz = coalesce(seen_authz, e.authz)
    returning s.session_id, s.counter, s.authz, least(s.rotated_at + interval '12 hours', s.expires_at), s.role;
  if not found then
    raise exception 'her password was changed meanwhile' using errcode = 'TP401';
  end if;
end $$;
COMMENT ON FUNCTION sec.open_session(employee uuid, wanted_role text, address text, user_agent text, seen_authz integer) IS 'Begins a session of an employee whose password was checked, in this role; in the first that she has when none is wanted. expires_at is when it is over unless it is refreshed. seen_authz is what sec.find_login said with what the password was checked with.';

-- permissions(); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.permissions() RETURNS TABLE(role text, permission text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  return query select p.role, p.permission from sec.permission p;
end $$;
COMMENT ON FUNCTION sec.permissions() IS 'sec.permission, for the gateway: whoever lacks a permission hears that before anything else is wrong.';

-- prune(); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.prune() RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  gone bigint;
  total bigint := 0;
begin
  delete from sec.session s
   where coalesce(s.ended_at, least(s.expires_at, s.rotated_at + interval '12 hours')) < now() - interval '7 days';
  get diagnostics gone = row_count;
  total := total + sync.note_pruning('sec.session', gone);
  -- Answers may hold values of customers.
  delete from sec.idempotency i where i.made_at < now() - interval '1 day';
  get diagnostics gone = row_count;
  total := total + sync.note_pruning('sec.idempotency', gone);
  delete from sec.throttle t where t.last_failed_at < now() - interval '1 day';
  delete from sec.password_link l where least(l.used_at, l.expires_at) < now() - interval '7 days';
  get diagnostics gone = row_count;
  return total + sync.note_pruning('sec.password_link', gone);
end $$;
COMMENT ON FUNCTION sec.prune() IS 'Removes sessions and password links a week after their end, and answers to repeated requests and failed attempts to log in after a day. pg_cron calls it each hour.';

-- publish_issuer_key(text, text, text); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.publish_issuer_key(kid text, public_key text, url text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  perform sec.decided_by_central();
  insert into sec.issuer_key as k (kid, public_key, url)
  values (publish_issuer_key.kid, publish_issuer_key.public_key, publish_issuer_key.url)
  on conflict (kid) where not deleted do update
    set public_key = excluded.public_key, url = excluded.url
    where (k.public_key, k.url) is distinct from (excluded.public_key, excluded.url);
end $$;
COMMENT ON FUNCTION sec.publish_issuer_key(kid text, public_key text, url text) IS 'Tells every node a key that this gateway signs tokens with, and where the gateway answers. Can be repeated.';

-- receipt_body(integer, uuid); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.receipt_body(node integer, receipt uuid) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
begin
  return (
    select to_jsonb(r) || jsonb_build_object('total', r.total::text, 'lines_total', r.lines_total::text,
                                             'total_difference', r.total_difference::text)
      from own.receipt r where r.node_id = receipt_body.node and r.receipt_id = receipt_body.receipt);
end $$;
COMMENT ON FUNCTION sec.receipt_body(node integer, receipt uuid) IS 'A receipt as an answer shows it: amounts are texts.';

-- record(text, text, text); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.record(event text, subject text, detail text DEFAULT ''::text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
begin
  if record.event is null or record.event !~ '^[A-Z][A-Z0-9_]{2,39}$' then
    raise exception 'an event is a code of capitals' using errcode = '22023';
  end if;
  insert into sec.audit (event, subject, detail) values (record.event, record.subject, coalesce(record.detail, ''));
end $_$;
COMMENT ON FUNCTION sec.record(event text, subject text, detail text) IS 'Writes a security event that the gateway saw.';

-- refresh_session(uuid, integer, boolean); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.refresh_session(session uuid, given_counter integer, seen_counter_used boolean) RETURNS TABLE(outcome text, counter integer, employee_id uuid, role text, authz integer, expires_at timestamp with time zone)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  known sec.session;
  refused text;
begin
  -- Refreshes of one session take turns here.
  select * into known from sec.session s where s.session_id = session for update;
  if known.session_id is null or known.ended_at is not null or known.admitted then
    return query select 'dead', null::integer, null::uuid, null::text, null::integer, null::timestamptz;
    return;
  end if;
  refused := case
    when known.expires_at <= clock_timestamp() then 'EXPIRED'
    when known.rotated_at + interval '12 hours' <= clock_timestamp() then 'IDLE'
    when given_counter = known.counter
         or given_counter = known.counter - 1 and not coalesce(seen_counter_used, true)
            and known.rotated_at > clock_timestamp() - interval '30 seconds' then null
    else 'REFRESH_REUSED' end;
  if refused is null and not (sec.may_log_in(known.employee_id) and exists (
       select from sec.grants_now(known.employee_id) g where g.role = known.role) and exists (
       select from party.employee e where e.employee_id = known.employee_id and e.authz = known.authz)) then
    refused := 'REVOKED';
  end if;
  if refused is not null then
    perform sec.end_session(session, refused);
    if refused = 'REFRESH_REUSED' then
      insert into sec.audit (event, subject, detail)
      values ('REFRESH_REUSED', format('session %s', session),
              'a refresh token was shown that had been replaced: somebody has a copy of it. The session was ended');
    end if;
    return query select 'dead', null::integer, known.employee_id, null::text, null::integer, null::timestamptz;
    return;
  end if;
  return query
    update sec.session s
       set counter = given_counter + 1,
           rotated_at = case given_counter when known.counter then clock_timestamp() else s.rotated_at end,
           last_used_at = clock_timestamp()
     where s.session_id = session
    returning case given_counter when known.counter then 'rotated' else 'repeated' end, s.counter, s.employee_id, s.role,
      s.authz, least(s.rotated_at + interval '12 hours', s.expires_at);
end $$;
COMMENT ON FUNCTION sec.refresh_session(session uuid, given_counter integer, seen_counter_used boolean) IS 'Refreshes a session by the number in its refresh token. rotated: the next number. repeated: the number before, within 30 seconds and while no token of the new one was used, as after a lost answer; the same new number again. dead: it is over, or was ended now; so is one of before a change of what she may or of her password.';

-- refuse_conflict(text, text, text); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.refuse_conflict(message text, code text, gateway_url text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  raise exception using message = refuse_conflict.message, errcode = 'TP409',
    detail = jsonb_strip_nulls(jsonb_build_object('code', refuse_conflict.code, 'gateway_url', refuse_conflict.gateway_url))::text;
end $$;
COMMENT ON FUNCTION sec.refuse_conflict(message text, code text, gateway_url text) IS 'Refuses what the present state does not allow. The detail is JSON: a code, and where to ask instead.';

-- refuse_faults(jsonb); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.refuse_faults(faults jsonb) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if jsonb_array_length(faults) > 0 then
    raise exception 'the request has faults' using errcode = 'TP422', detail = faults::text;
  end if;
end $$;
COMMENT ON FUNCTION sec.refuse_faults(faults jsonb) IS 'Refuses a request with all its faults, if it has any.';

-- refuse_hidden(); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.refuse_hidden() RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  raise exception 'there is nothing of that kind here' using errcode = 'TP404';
end $$;
COMMENT ON FUNCTION sec.refuse_hidden() IS 'Refuses what is not there, and what whoever asks may not see, alike.';

-- register_gateway_key(text, text); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.register_gateway_key(node_code text, public_key text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  node integer := (select n.node_id from org.node n where n.node_code = register_gateway_key.node_code and n.kind = 'store');
begin
  perform sec.decided_by_central();
  if node is null then
    raise exception 'there is no store of that name' using errcode = 'TP404';
  end if;
  perform sync.refuse_banned(node);
  insert into sec.gateway_key as k (node_id, public_key) values (node, register_gateway_key.public_key)
  on conflict (node_id) where not deleted do update
    set public_key = excluded.public_key where k.public_key <> excluded.public_key;
  if found then
    -- What was sealed for the key before cannot be opened any more.
    delete from sec.sealing s where s.node_id = node;
    insert into sec.audit (event, subject, detail)
    values ('GATEWAY_KEY', format('node %s', node), 'passwords are sealed for this key of a store''s gateway from now on');
  end if;
end $$;
COMMENT ON FUNCTION sec.register_gateway_key(node_code text, public_key text) IS 'Registers the public key of a store''s gateway, in place of the one before. Passwords of those who work there are sealed for it.';

-- require(text, integer, text, date); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.require(permission text, node integer DEFAULT NULL::integer, department text DEFAULT NULL::text, business_date date DEFAULT NULL::date) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if not sec.may(require.permission) then
    raise exception 'the role does not have the permission %', require.permission using errcode = 'TP403';
  end if;
  if require.node is not null and not tpv.may_see(require.node, require.department, require.business_date) then
    raise exception 'the role was not granted there' using errcode = 'TP403';
  end if;
end $$;
COMMENT ON FUNCTION sec.require(permission text, node integer, department text, business_date date) IS 'Refuses whoever lacks a permission, or has it elsewhere.';

-- require_all_of(uuid); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.require_all_of(employee uuid) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  -- At a store what counts of her grants is what holds there.
  here integer := (select n.node_id from org.node n where n.node_id = org.this_node() and n.kind = 'store');
begin
  if exists (select from sec.role_grant g
              where g.employee_id = require_all_of.employee and not g.deleted
                and coalesce(g.valid_to, 'infinity') >= sec.today(g.node_id)
                and (here is null or g.node_id is null or g.node_id = here)
                and not tpv.may_see(coalesce(here, g.node_id), g.department_code, null)) then
    raise exception 'she has a role beyond what you look after' using errcode = 'TP403';
  end if;
end $$;
COMMENT ON FUNCTION sec.require_all_of(employee uuid) IS 'Refuses whoever may not look wherever an employee has a role as far as this node goes: what keeps her out here keeps her out of all of it.';

-- require_no_other(sec.role_grant); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.require_no_other(given sec.role_grant) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  -- Two of them come one after the other.
  perform from party.employee e where e.employee_id = given.employee_id for update;
  if exists (select from sec.role_grant g
              where g.employee_id = given.employee_id and g.role = given.role and not g.deleted
                and g.role_grant_id is distinct from given.role_grant_id
                and (g.node_id, g.department_code) is not distinct from (given.node_id, given.department_code)
                and daterange(g.valid_from, g.valid_to, '[]') && daterange(given.valid_from, given.valid_to, '[]')) then
    perform sec.refuse_conflict('she has that role there on some of these days already', 'state');
  end if;
end $$;
COMMENT ON FUNCTION sec.require_no_other(given sec.role_grant) IS 'Refuses a grant of what somebody has on some of its days: ending one of two would leave the other.';

-- require_version(jsonb, text); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.require_version(given jsonb, present text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if coalesce(given, 'null') = 'null' then
    raise exception 'the version of what is to be changed must be given' using errcode = 'TP428', hint = 'It is its etag.';
  end if;
  if given #>> '{}' is distinct from present then
    raise exception 'it was changed meanwhile' using errcode = 'TP412', hint = 'Read it again.';
  end if;
end $$;
COMMENT ON FUNCTION sec.require_version(given jsonb, present text) IS 'Refuses a change of a row that somebody else has changed since it was read.';

-- retire_issuer_key(text); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.retire_issuer_key(kid text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform sec.decided_by_central();
  update sec.issuer_key k set retired_at = clock_timestamp()
   where k.kid = retire_issuer_key.kid and not k.deleted and k.retired_at is null;
end $$;
COMMENT ON FUNCTION sec.retire_issuer_key(kid text) IS 'Says that a key signs no more tokens. Those that it has signed are good for an hour, or until they end.';

-- return_attempt(bytea); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.return_attempt(subject bytea) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 UPDATE sec.throttle AS t SET failures = GREATEST((t.failures - 1), 0)
   WHERE (t.subject = return_attempt.subject);
END;
COMMENT ON FUNCTION sec.return_attempt(subject bytea) IS 'Takes an attempt back whose password was not compared after all.';

-- role; Type: TABLE; Schema: sec; Owner: tpv_owner
CREATE TABLE sec.role (
    role text NOT NULL,
    rank integer NOT NULL,
    meaning text NOT NULL
);
COMMENT ON TABLE sec.role IS 'The roles that can be granted. Each is also a role of PostgreSQL, tpv_ and its name.';
COMMENT ON COLUMN sec.role.role IS 'Its name.';
COMMENT ON COLUMN sec.role.rank IS 'Whoever has several and names none gets the one with the least number.';
COMMENT ON COLUMN sec.role.meaning IS 'Whom it is for.';

-- roles_of(uuid); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.roles_of(employee uuid) RETURNS TABLE(role text, node_id integer, department_code text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT g.role,
     g.node_id,
     g.department_code
    FROM (sec.grants_now(roles_of.employee) g(role, node_id, department_code, valid_from, valid_to)
      JOIN sec.role r ON ((r.role = g.role)))
   ORDER BY r.rank, g.node_id NULLS FIRST, g.department_code NULLS FIRST;
END;
COMMENT ON FUNCTION sec.roles_of(employee uuid) IS 'The roles that an employee has today, and where.';

-- save_verifier(uuid, integer, uuid, text, timestamp with time zone); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.save_verifier(employee uuid, node integer, key uuid, sealed text, changed_at timestamp with time zone) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform sec.decided_by_central();
  -- One that was changed meanwhile is sealed next.
  perform from sec.password p where p.employee_id = employee and p.changed_at = save_verifier.changed_at for share;
  if not found then
    return;
  end if;
  insert into sec.verifier as v (employee_id, node_id, gateway_key_id, sealed)
  values (employee, node, key, save_verifier.sealed)
  on conflict (employee_id, node_id) where not deleted do update
    set gateway_key_id = excluded.gateway_key_id, sealed = excluded.sealed;
  insert into sec.sealing as s (employee_id, node_id, gateway_key_id, changed_at)
  values (employee, node, key, save_verifier.changed_at)
  on conflict on constraint sealing_pkey do update set gateway_key_id = excluded.gateway_key_id, changed_at = excluded.changed_at;
end $$;
COMMENT ON FUNCTION sec.save_verifier(employee uuid, node integer, key uuid, sealed text, changed_at timestamp with time zone) IS 'Saves a sealed password for a store, unless it was changed since sec.verifiers_due said it and its changed_at.';

-- scope_of_login(); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.scope_of_login() RETURNS TABLE(role text, scope jsonb)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  return query
  select s.role, jsonb_agg(jsonb_build_object(
           'node', s.node_id, 'department', s.department_code,
           'from', case when s.role = 'concessionaire' then s.valid_from end,
           'to', case when s.role = 'concessionaire' then s.valid_to end))
    from sec.login_scope s
   where s.login = session_user and current_setting('role') = 'tpv_' || s.role
     and sec.today(s.node_id) between coalesce(s.valid_from, '-infinity') and coalesce(s.valid_to, 'infinity')
   group by s.role;
end $$;
COMMENT ON FUNCTION sec.scope_of_login() IS 'What the login of this session may see in the role that it has set; no row when it may see nothing. The extension asks once in a transaction.';

-- set_password(uuid, text, text, uuid); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.set_password(employee uuid, phc text, made_by text, kept_session uuid DEFAULT NULL::uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  counted integer;
begin
  perform sec.decided_by_central();
  perform from party.employee e where e.employee_id = employee and not e.deleted for update;
  if not found then
    raise exception 'there is no such employee' using errcode = 'TP404';
  end if;
  update sec.password p set phc = set_password.phc, changed_at = clock_timestamp() where p.employee_id = employee;
  if found then
    -- Every node hears it at once: sessions of before are over there too, and nobody gets in with the
    -- password of before, until the new one is sealed and comes.
    update party.employee e set authz = e.authz + 1 where e.employee_id = employee returning e.authz into counted;
    update sec.verifier v set sealed = '' where v.employee_id = employee and not v.deleted and v.sealed <> '';
    update sec.session s set authz = counted
     where s.session_id = kept_session and s.employee_id = employee and s.ended_at is null;
  else
    insert into sec.password (employee_id, phc) values (employee, set_password.phc);
  end if;
  perform sec.end_sessions(employee, kept_session, 'PASSWORD_SET');
  insert into sec.audit (event, subject, actor, detail)
  values ('PASSWORD_SET', format('employee %s', employee), coalesce(made_by, sec.actor()), 'a password was set');
end $$;
COMMENT ON FUNCTION sec.set_password(employee uuid, phc text, made_by text, kept_session uuid) IS 'Sets the password of an employee, as an argon2id string, and ends her sessions at every node but kept_session. made_by is who did it, an id and no name.';

-- shared_comment(text); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.shared_comment(column_name text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT
         CASE column_name
             WHEN 'etag'::text THEN 'The version of the row: it changes with each change. Functions that change a row want it.'::text
             WHEN 'at'::text THEN 'When.'::text
             WHEN 'node_id'::text THEN 'The node: the store that it is about.'::text
             WHEN 'department'::text THEN 'The department, as receipts name it.'::text
             WHEN 'receipt_id'::text THEN 'The receipt.'::text
             WHEN 'terminal'::text THEN 'The terminal.'::text
             ELSE NULL::text
         END AS "case";
END;
COMMENT ON FUNCTION sec.shared_comment(column_name text) IS 'What columns of schema own mean that several views have.';

-- take_attempt(bytea); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.take_attempt(subject bytea) RETURNS timestamp with time zone
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  insert into sec.throttle as t (subject, failures, last_failed_at) values (take_attempt.subject, 1, clock_timestamp())
  on conflict (subject) do update
    set failures = case when t.last_failed_at < clock_timestamp() - interval '24 hours' then 1 else t.failures + 1 end,
        last_failed_at = clock_timestamp(),
        -- A second after the fifth, then twice as long each time.
        blocked_until = case when t.last_failed_at >= clock_timestamp() - interval '24 hours' and t.failures >= 4
                             then clock_timestamp() + least(interval '15 minutes', interval '1 second' * (1 << least(t.failures - 4, 10)))
                        end
    where t.blocked_until is null or t.blocked_until <= clock_timestamp();
  if found then
    return null;
  end if;
  return coalesce((select t.blocked_until from sec.throttle t where t.subject = take_attempt.subject), clock_timestamp());
end $$;
COMMENT ON FUNCTION sec.take_attempt(subject bytea) IS 'Counts an attempt to log in before its password is compared, and answers null; or until when it is refused, which is not counted. After the fifth each has to wait: a second, then twice as long each time, at most 15 minutes. After a day it is forgotten.';

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

-- this_gateway(); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.this_gateway() RETURNS TABLE(node_id integer, node_code text, kind text, central_url text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT n.node_id,
     n.node_code,
     n.kind,
     sec.central_url() AS central_url
    FROM (sync.this_node t
      JOIN org.node n ON ((n.node_id = t.node_id)));
END;
COMMENT ON FUNCTION sec.this_gateway() IS 'Which node this is, for its gateway, and where central''s gateway answers. No row before the node is registered.';

-- use_password_link(bytea, text); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.use_password_link(link_hash bytea, phc text) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  employee uuid;
begin
  perform sec.decided_by_central();
  update sec.password_link l set used_at = clock_timestamp()
   where l.link_hash = use_password_link.link_hash and l.used_at is null and l.expires_at > clock_timestamp()
     and sec.may_log_in(l.employee_id)
  returning l.employee_id into employee;
  if employee is null then
    raise exception 'the link was used already, or is no longer good' using errcode = 'TP404';
  end if;
  perform sec.set_password(employee, phc, 'employee:' || employee);
  return employee;
end $$;
COMMENT ON FUNCTION sec.use_password_link(link_hash bytea, phc text) IS 'Sets the password that a link is for, once, and ends the sessions of the employee, who is the answer.';

-- sealing; Type: TABLE; Schema: sec; Owner: tpv_owner
CREATE TABLE sec.sealing (
    employee_id uuid NOT NULL,
    node_id integer NOT NULL,
    gateway_key_id uuid NOT NULL,
    changed_at timestamp with time zone NOT NULL
);
COMMENT ON TABLE sec.sealing IS 'Which password each verifier was made of, so that the next one is made when it changes.';
COMMENT ON COLUMN sec.sealing.employee_id IS 'The employee.';
COMMENT ON COLUMN sec.sealing.node_id IS 'The store.';
COMMENT ON COLUMN sec.sealing.gateway_key_id IS 'The key that it was sealed for.';
COMMENT ON COLUMN sec.sealing.changed_at IS 'sec.password.changed_at at that time.';

-- verifiers_due(integer); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.verifiers_due(most integer) RETURNS TABLE(employee_id uuid, node_id integer, gateway_key_id uuid, gateway_key text, phc text, changed_at timestamp with time zone)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT e.employee_id,
     k.node_id,
     k.gateway_key_id,
     k.public_key,
     p.phc,
     p.changed_at
    FROM (((sec.gateway_key k
      JOIN ( SELECT DISTINCT g.employee_id,
             g.node_id
            FROM sec.role_grant g
           WHERE ((g.node_id IS NOT NULL) AND (NOT g.deleted) AND (COALESCE(g.valid_to, 'infinity'::date) >= sec.today(g.node_id)))) w ON ((w.node_id = k.node_id)))
      JOIN party.employee e ON (((e.employee_id = w.employee_id) AND e.active AND (NOT e.deleted))))
      JOIN sec.password p ON ((p.employee_id = e.employee_id)))
   WHERE ((NOT k.deleted) AND (NOT sync.is_joined_store()) AND (NOT (EXISTS ( SELECT
            FROM (sec.verifier v
              JOIN sec.sealing s ON (((s.employee_id = v.employee_id) AND (s.node_id = v.node_id))))
           WHERE ((v.employee_id = e.employee_id) AND (v.node_id = k.node_id) AND (NOT v.deleted) AND (s.gateway_key_id = k.gateway_key_id) AND (s.changed_at = p.changed_at))))))
   ORDER BY p.changed_at
  LIMIT verifiers_due.most;
END;
COMMENT ON FUNCTION sec.verifiers_due(most integer) IS 'Passwords that are to be sealed for the gateway of a store where their employee works.';

-- withdraw_gateway(integer); Type: FUNCTION; Schema: sec; Owner: tpv_owner
CREATE FUNCTION sec.withdraw_gateway(node integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  people uuid[];
begin
  update sec.gateway_key k set deleted = true where k.node_id = node and not k.deleted;
  delete from sec.sealing s where s.node_id = node;
  with gone as (
    update sec.verifier v set deleted = true, sealed = '' where v.node_id = node and not v.deleted returning v.employee_id)
  select array_agg(distinct g.employee_id) into people from gone g;
  -- Whoever has the machine may have seen their tokens.
  update party.employee e set authz = e.authz + 1 where e.employee_id = any (people) and not e.deleted;
  return coalesce(cardinality(people), 0);
end $$;
COMMENT ON FUNCTION sec.withdraw_gateway(node integer) IS 'Seals nothing any more for the gateway of a store, takes back what was sealed for it, and ends the sessions of those who had a password there, at every node. Returns how many they are: their passwords can be guessed at on that machine. What its gateway signed nobody else believes.';

-- accept_drift(bigint, text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.accept_drift(drift_id bigint, why text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  accepted sync.drift;
begin
  update sync.drift d
     set resolved_at = clock_timestamp(), detail = d.detail || format(' (accepted by %s: %s)', sec.actor(), accept_drift.why)
   where d.drift_id = accept_drift.drift_id and d.resolved_at is null
  returning * into accepted;
  if not found then
    raise exception 'there is no open difference with that number'
      using errcode = 'P0002', hint = 'Open differences are in sync.drift, where resolved_at is null.';
  end if;
  insert into sync.accepted_drift (node_id, what, subject, from_seq, to_seq, why)
  values (accepted.node_id, accepted.what, accepted.subject, accepted.from_seq, accepted.to_seq, accept_drift.why);
  -- Operations that are missing stay missing: if they come after all, they are taken.
  if accepted.what in ('hash_chain', 'broken') then
    insert into sync.verified as v (node_id, chain, chain_seq, hash)
    select c.writer_id, c.chain, c.chain_seq, c.hash
      from sync.peer_chain c
     where c.node_id = accepted.node_id and c.name = accepted.subject
    on conflict (node_id, chain) do update
      set chain_seq = excluded.chain_seq, hash = excluded.hash, verified_at = clock_timestamp();
  end if;
  insert into sec.audit (event, subject, detail)
  values ('DRIFT_ACCEPTED', format('node %s, %s %s', accepted.node_id, accepted.what, accepted.subject), accept_drift.why);
end $$;
COMMENT ON FUNCTION sync.accept_drift(drift_id bigint, why text) IS 'Accepts a difference that somebody has looked at: comparing continues after it, and verified_until moves on. Nothing is forgotten: what comes of it later is taken.';

-- accept_life(integer, text, text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.accept_life(peer integer, why text, life text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  changed bigint;
begin
  if coalesce(why, '') = '' then
    raise exception 'a reason is required' using errcode = '22023', hint = 'It stays on record, and names no person.';
  end if;
  if accept_life.life is not null
     and not exists (select from sync.life l where l.node_id = accept_life.peer and l.life = accept_life.life) then
    raise exception 'no server of node % has come under that name', accept_life.peer using errcode = 'P0002',
      hint = 'There, select tpv.life() says it. What has come is in sync.life.';
  end if;
  -- Who streams goes on until its connection ends, and is refused then.
  update sync.life l
     set state = 'replaced', replaced_at = clock_timestamp(), replacement = accept_life.life, pid = null
   where l.node_id = accept_life.peer and l.state = 'current' and l.life is distinct from accept_life.life;
  get diagnostics changed = row_count;
  update sync.life l
     set state = 'current', replaced_at = null, replacement = null, refusals = 0
   where l.node_id = accept_life.peer and l.life = accept_life.life and l.state <> 'current';
  if found or changed > 0 then
    insert into sec.audit (event, subject, detail)
    values ('LIFE_ACCEPTED', concat_ws(', ', format('node %s', accept_life.peer), 'life ' || accept_life.life), accept_life.why);
  end if;
  update sync.clone c set settled_at = clock_timestamp()
   where c.settled_at is null
     and ((c.node_id = accept_life.peer and c.from_node = org.this_node())
          or (c.node_id = org.this_node() and c.from_node = accept_life.peer));
end $$;
COMMENT ON FUNCTION sync.accept_life(peer integer, why text, life text) IS 'Decides which server a peer is: the one of that life, or without one whichever comes next. All others of before are refused. A step of sync.rejoin_plan.';

-- accept_snapshot(integer, text, bigint, boolean); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.accept_snapshot(peer integer, why text, up_to bigint DEFAULT NULL::bigint, alone boolean DEFAULT false) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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
COMMENT ON FUNCTION sync.accept_snapshot(peer integer, why text, up_to bigint, alone boolean) IS 'At central that was restored: asks a store for a snapshot, and takes it, once and within an hour. Of it are taken what the store decided, and what this node decided and has forgotten, up to up_to; if that is not given, up to where the store says. What this node has decided since under numbers of which two stores have others is set aside (sync.own_said); with alone, what this store says is enough.';

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
  if (add_peer.extension <> extension_here or add_peer.schema <> schema_here)
     and not exists (select from sync.peer p where p.node_id = add_peer.node_id) then
    raise exception 'the two nodes are of different versions' using errcode = '55000',
      detail = format('Here are pg_tpv %s and schema %s, there pg_tpv %s and schema %s.',
                      extension_here, schema_here, add_peer.extension, add_peer.schema),
      hint = 'A store joins with the versions that central has (alter extension pg_tpv update, then tpv-migrate run). '
             'Later they may differ by one release, also when it joins again.';
  end if;
  if add_peer.kind = 'store' then
    perform sync.refuse_banned(add_peer.node_id);
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
  -- From here on central decides: a store notes its last operation of before, and central waits for
  -- its first heartbeat, which says it. Of a store that was banned it knows: what that wrote meanwhile
  -- is not of before.
  insert into sync.peer (node_id, subscription_name, joined_seq)
  values (add_peer.node_id,
          case kind when 'central' then 'tpv_from_central' else 'tpv_from_' || sync.name_part(add_peer.node_code) end,
          case kind when 'central' then coalesce((select max(c.last_seq) from sync.op_counter c where c.node_id = org.this_node()), 0)
                    else sync.joined_before_ban(add_peer.node_id) end)
  on conflict on constraint peer_pkey do nothing;
end $$;
COMMENT ON FUNCTION sync.add_peer(node_id integer, node_code text, kind text, extension text, schema integer) IS 'Makes a node known as a peer, or refuses it: another version, a taken number or name, another chain, a ban.';

-- addressed_hash_chains(integer); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.addressed_hash_chains(to_node integer) RETURNS SETOF text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 WITH RECURSIVE first(node_id, chain) AS (
          SELECT d.node_id,
             d.chain
            FROM wire.doc d
           WHERE (d.to_node = addressed_hash_chains.to_node)
           ORDER BY d.node_id, d.chain
          LIMIT 1
         ), addressed(node_id, chain) AS (
          SELECT f.node_id,
             f.chain
            FROM first f
         UNION ALL
          SELECT n.node_id,
             n.chain
            FROM (addressed a_1
              CROSS JOIN LATERAL ( SELECT d.node_id,
                     d.chain
                    FROM wire.doc d
                   WHERE ((d.to_node = addressed_hash_chains.to_node) AND (ROW(d.node_id, d.chain) > ROW(a_1.node_id, a_1.chain)))
                   ORDER BY d.node_id, d.chain
                  LIMIT 1) n)
         )
  SELECT
         CASE
             WHEN (a.node_id = org.this_node()) THEN a.chain
             ELSE (a.node_id || a.chain)
         END AS "case"
    FROM addressed a;
END;
COMMENT ON FUNCTION sync.addressed_hash_chains(to_node integer) IS 'The hash chains of the documents here that are addressed to a node, as this node calls them.';

-- op_counter; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.op_counter (
    node_id integer NOT NULL,
    last_seq bigint NOT NULL,
    held boolean DEFAULT false NOT NULL
);
COMMENT ON TABLE sync.op_counter IS 'The last number of this node''s operations. The row is locked from an operation to its commit, so that the order of numbers is the order of commits.';
COMMENT ON COLUMN sync.op_counter.node_id IS 'This node.';
COMMENT ON COLUMN sync.op_counter.last_seq IS 'The last number given.';
COMMENT ON COLUMN sync.op_counter.held IS 'Whether no number is given: this server was restored, and has not got back what it forgot.';

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

-- ask_when_heard(integer, text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.ask_when_heard(store integer, why text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  until timestamptz := clock_timestamp() + interval '5 minutes';
begin
  -- A heartbeat of after the plan says which operations of this node the store has, and its answer
  -- which numbers were given twice.
  while not exists (select from sync.peer p
                     where p.node_id = ask_when_heard.store and p.beat >= coalesce(p.gap_beat, 0)
                       and p.own_at > (select max(r.noticed_at) from sync.restored r))
        -- One store alone is not believed about numbers that were given twice.
        or (select count(*) from sync.peer p where p.own_at > (select max(r.noticed_at) from sync.restored r))
           < least(2, (select count(*) from sync.peer p
                        -- One whose stream was ended by sync.ban says nothing any more.
                        where exists (select from pg_subscription u where u.subname = p.subscription_name))) loop
    if clock_timestamp() > until then
      raise exception 'no answer of node % has come, or of no other store', store using errcode = '55000',
        hint = 'Is the store connected, and one more? When they are, run this step again. If there is no other: '
               'sync.accept_snapshot(…, alone => true).';
    end if;
    perform pg_sleep(0.2);
  end loop;
  return sync.accept_snapshot(store, why);
end $$;
COMMENT ON FUNCTION sync.ask_when_heard(store integer, why text) IS 'Waits until a heartbeat of a store says what it has, then asks it for a snapshot. A step of sync.restored_plan.';

-- ban(text, text, text); Type: PROCEDURE; Schema: sync; Owner: tpv_owner
CREATE PROCEDURE sync.ban(IN store text, IN why text, INOUT told text DEFAULT NULL::text)
    LANGUAGE plpgsql
    AS $$
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
COMMENT ON PROCEDURE sync.ban(IN store text, IN why text, INOUT told text) IS 'For a store whose machine was stolen, at central, by a superuser, and not within a transaction: its login, subscription, slot and publication end, what it wrote after that is refused at every node, and its number cannot join again (org.ban). Answers what is done, and what is left to do because somebody locks it. Can be repeated. sync.written_by shows what it may have written, sync.undo_written takes it back.';

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
  -- Copies of what was not stored. The second kind has whole parts of snapshots, or many
  -- operations, or is no JSON. A key is a whole uuid (OPERATION_KEY), so it is in no other body by
  -- chance.
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
  update sync.undone u
     set value_written = null, value = 'null', column_name = substring(u.column_name from '^[^/+]*')
   where u.table_name = blank_records.table_name and u.key = blank_records.key and u.column_name not like '@%'
     and (u.value <> 'null' or u.value_written is not null or u.column_name ~ '[/+]');
  update sync.loosening l
     set value = null, why = 'The row was erased.'
   where l.table_name = blank_records.table_name and l.key::text = blank_records.key and l.why <> 'The row was erased.';
  -- A request under the same key is not done again.
  update sec.idempotency i set answer = '{}' where strpos(i.answer, blank_records.key) > 0;
  if is_new then
    insert into sec.audit (event, subject, detail)
    values ('ERASED', format('%s %s', blank_records.table_name, blank_records.key), 'the values of the row were erased at this node');
  end if;
end $$;
COMMENT ON FUNCTION sync.blank_records(table_name text, key text, is_new boolean) IS 'Takes the values of an erased row out of conflicts, quarantine, resolutions, loosenings, what was undone, and answers that are kept for repeated requests. What is new to this node is a security event.';

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

-- capture_undone(); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.capture_undone() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  -- The first of a row writes for all of them: what one call takes back has one moment.
  if not exists (select from sync.undone u
                  where u.table_name = new.table_name and u.key = new.key and u.at = new.at and u.undone_id < new.undone_id) then
    perform tpv.decide_undone(new.table_name, new.key, jsonb_object_agg(u.column_name, u.value))
       from sync.undone u where u.table_name = new.table_name and u.key = new.key and u.at = new.at;
  end if;
  return null;
end $$;
COMMENT ON FUNCTION sync.capture_undone() IS 'Writes the operation that takes something back of a row, at the end of the transaction like every other.';

-- chain_state(); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.chain_state() RETURNS TABLE(node_id integer, node text, direction text, state text, lag_bytes bigint, lag_operations bigint, silent_for_s bigint, received_until timestamp with time zone, verified_until timestamp with time zone, held bigint, quarantined bigint, drift bigint, version text, advice text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  with held as (
    select r.node_id, count(*) as held from sales.receipt r where r.state = 'held' group by r.node_id
  )
  select n.node_id, n.node_code, 'here', 'running', null::bigint, null::bigint, null::bigint, null::timestamptz, null::timestamptz,
         coalesce((select sum(h.held) from held h where n.kind = 'central' or h.node_id = n.node_id), 0)::bigint,
         (select count(*) from sync.quarantine q where q.resolved_at is null),
         (select count(*) from sync.drift d where d.resolved_at is null),
         (select e.extversion from pg_catalog.pg_extension e where e.extname = 'pg_tpv'),
         case when exists (select from sync.quarantine q where q.resolved_at is null) then 'rows wait in quarantine'
              else 'nothing to do' end
    from sync.this_node t join org.node n on n.node_id = t.node_id
  union all
  select n.node_id, s.peer, s.direction, s.state, s.lag_bytes, s.lag_operations, extract(epoch from s.silent_for)::bigint,
         s.received_until, s.verified_until, coalesce((select h.held from held h where h.node_id = n.node_id), 0), s.quarantined,
         s.drift, s.version, s.advice
    from sync.status s join org.node n on n.node_code = s.peer
$$;
COMMENT ON FUNCTION sync.chain_state() IS 'sync.status as the owner sees it, with a row for this node. For the view of schema own.';

-- chains_of(integer); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.chains_of(node_id integer) RETURNS SETOF text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 WITH RECURSIVE own(chain) AS (
          SELECT min(d.chain) AS min
            FROM wire.doc d
           WHERE (d.node_id = chains_of.node_id)
         UNION ALL
          SELECT ( SELECT min(d.chain) AS min
                    FROM wire.doc d
                   WHERE ((d.node_id = chains_of.node_id) AND (d.chain > own_1.chain))) AS min
            FROM own own_1
           WHERE (own_1.chain IS NOT NULL)
         )
  SELECT own.chain
    FROM own
   WHERE (own.chain IS NOT NULL);
END;
COMMENT ON FUNCTION sync.chains_of(node_id integer) IS 'The hash chains of a node of which documents are here.';

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
    own_column text,
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
COMMENT ON COLUMN sync.tracked_table.own_column IS 'Where central decides and a store keeps its own rows of before it joined: the column with the number of the store, or @exists, where a row belongs to whoever made it. tpv.who_decides says it in words.';
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
  claim bigint;
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
    -- Two sessions that write the same values at the same time do not see each other. The second one
    -- waits in the index for the end of the first one's transaction, whatever becomes of its row
    -- here. So it costs no lock, however many rows a transaction writes; and nothing stays.
    claim := hashtextextended(format('%s %s %s', tracked.table_name, same.kind, same.shared), 0);
    insert into sync.claim (value_hash) values (claim);
    delete from sync.claim c where c.value_hash = claim;
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
  for scale in
    select s.key as column_name, s.value as steps from jsonb_each(tracked.only_stricter) s
     where before -> s.key is distinct from image -> s.key
  loop
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
    version text,
    ahead_ms bigint DEFAULT 0 NOT NULL,
    beat_hlc bigint,
    whole_hlc bigint,
    heads_requested_at timestamp with time zone,
    joined_seq bigint,
    own_token bigint,
    own_at timestamp with time zone,
    conninfo text
)
WITH (fillfactor='50');
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
COMMENT ON COLUMN sync.peer.version IS 'Version of its extension.';
COMMENT ON COLUMN sync.peer.ahead_ms IS 'By how much its clock was ahead of ours at its last heartbeat, where that was too much to follow.';
COMMENT ON COLUMN sync.peer.beat_hlc IS 'The stamp of its last heartbeat.';
COMMENT ON COLUMN sync.peer.whole_hlc IS 'The stamp of the last heartbeat with which the heads of all its hash chains were known here. Behind beat_hlc while a heartbeat is missing; the peer is asked to name all then.';
COMMENT ON COLUMN sync.peer.heads_requested_at IS 'When it was asked to; null when nothing is missing.';
COMMENT ON COLUMN sync.peer.joined_seq IS 'The last operation that a store wrote before it joined. Of a store, as its first heartbeat said it; at a store, its own, in the row of central. Null while it joins. After it, nothing of the store is believed in what central decides.';
COMMENT ON COLUMN sync.peer.own_token IS 'With which token its heartbeats asked last what this node has of its rows.';
COMMENT ON COLUMN sync.peer.own_at IS 'When it told last what it has of this node''s rows.';
COMMENT ON COLUMN sync.peer.conninfo IS 'How its server is reached, without user and password, as a plan said last.';

-- compare_with(sync.peer); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.compare_with(of_peer sync.peer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  began timestamptz := clock_timestamp();
  is_central boolean;
  facts jsonb;
  differences integer;
  wants json;
  -- More hash chains than are followed at once.
  is_partly boolean := (
    select count(*) > 5000 from sync.peer_chain c left join sync.verified v on v.node_id = c.writer_id and v.chain = c.chain
     where c.node_id = of_peer.node_id and (c.chain_seq, c.hash) is distinct from (v.chain_seq, v.hash));
begin
  select n.kind = 'central' into is_central from org.node n where n.node_id = of_peer.node_id;
  facts := jsonb_build_object(
    'this_node', org.this_node(),
    'peer', of_peer.node_id,
    'peer_is_central', is_central,
    'reported', (select coalesce(jsonb_object_agg(v.writer_id, v.seq), '{}') from sync.peer_vector v where v.node_id = of_peer.node_id),
    'here', (select coalesce(jsonb_object_agg(k.node_id, k.seq), '{}') from sync.compared_until() k),
    'chains', sync.follow_hash_chains(of_peer),
    'open', (select coalesce(jsonb_agg(jsonb_build_object(
                      'what', d.what, 'subject', d.subject, 'from_seq', d.from_seq,
                      'waited_ms', (extract(epoch from began - d.requested_at) * 1000)::bigint)), '[]')
               from sync.drift d where d.node_id = of_peer.node_id and d.resolved_at is null));
  with found as materialized (
    select f.what, f.subject, f.from_seq, f.to_seq, f.detail, f.request from tpv.peer_differences(facts) f
     -- Operations that were accepted as missing are none, see sync.compared_until.
     where not exists (select from sync.accepted_drift a
                        where a.node_id = of_peer.node_id and a.what = f.what and a.what = 'restored' and a.subject = f.subject
                          and a.from_seq <= f.from_seq and a.to_seq >= f.to_seq)
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
       and not (is_partly and d.what in ('hash_chain', 'broken'))
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
  insert into sync.horizon as h (node_id, seq)
  select k.node_id, k.seq from sync.contiguous() k left join sync.horizon o on o.node_id = k.node_id
   where k.seq > coalesce(o.seq, 0)
  on conflict (node_id) do update set seq = excluded.seq where h.seq < excluded.seq;
  if not is_central then
    perform sync.note_arrivals(of_peer.node_id);
  end if;
  if of_peer.whole_hlc is distinct from of_peer.beat_hlc then
    -- A heartbeat is missing, so what the peer wrote last in a hash chain may not be known. It is
    -- asked (sync.request_heads).
    differences := differences + 1;
  end if;
  if is_partly then
    differences := differences + 1;
  end if;
  return differences;
end $$;
COMMENT ON FUNCTION sync.compare_with(of_peer sync.peer) IS 'Compares what a peer reported in its heartbeats with what is here (tpv.peer_differences decides), records the differences in sync.drift and requests what is missing. Returns how many differences there are; a missing heartbeat counts as one.';

-- compared_until(); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.compared_until() RETURNS TABLE(node_id integer, seq bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  passed bigint;
begin
  for node_id, seq in select k.node_id, k.seq from sync.contiguous() k loop
    -- Over what was accepted, and on along what is here.
    loop
      select max(a.to_seq) into passed from sync.accepted_drift a
       where a.what = 'operations' and a.subject = compared_until.node_id::text
         and a.from_seq <= compared_until.seq + 1 and a.to_seq > compared_until.seq;
      exit when passed is null;
      seq := passed + (
        select count(*) from (
          select o.seq, row_number() over (order by o.seq) as place from wire.op o
           where o.node_id = compared_until.node_id and o.seq > passed) beyond
         where beyond.seq = passed + beyond.place);
    end loop;
    return next;
  end loop;
  -- Of a node of which nothing is here.
  for node_id, seq in
    select a.subject::integer, max(a.to_seq) from sync.accepted_drift a
     where a.what = 'operations' and a.from_seq = 1
       and not exists (select from sync.contiguous() k where k.node_id::text = a.subject)
     group by a.subject
  loop
    return next;
  end loop;
end $$;
COMMENT ON FUNCTION sync.compared_until() IS 'For each node the number up to which its operations are here, or were accepted as missing (sync.accept_drift).';

-- conninfo_as(text, text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.conninfo_as(conninfo text, login text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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
COMMENT ON FUNCTION sync.conninfo_as(conninfo text, login text) IS 'How a node is reached, with the login that a plan makes there.';

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
     (n.seq +
         CASE
             WHEN ((n.next_seq - 1) > n.seq) THEN (0)::bigint
             ELSE ( SELECT count(*) AS count
                FROM ( SELECT o.seq,
                         row_number() OVER (ORDER BY o.seq) AS place
                        FROM wire.op o
                       WHERE ((o.node_id = n.node_id) AND (o.seq > n.seq))) beyond
               WHERE (beyond.seq = (n.seq + beyond.place)))
         END)
    FROM ( SELECT k.node_id,
             k.seq,
             ( SELECT o.seq
                    FROM wire.op o
                   WHERE ((o.node_id = k.node_id) AND (o.seq > k.seq))
                   ORDER BY o.seq
                  LIMIT 1) AS next_seq
            FROM ( SELECT COALESCE(w.node_id, h.node_id) AS node_id,
                     COALESCE(h.seq, (0)::bigint) AS seq
                    FROM (writer w
                      FULL JOIN sync.horizon h ON ((h.node_id = w.node_id)))) k) n
   WHERE (n.node_id IS NOT NULL);
END;
COMMENT ON FUNCTION sync.contiguous() IS 'For each node the number up to which its operations are here without a gap.';

-- is_constant_default(oid, smallint); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.is_constant_default(relation oid, place smallint) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT COALESCE(( SELECT (((d.adbin)::text !~ '[{](SQLVALUEFUNCTION|NEXTVALUEEXPR|COERCEVIAIO|SUBLINK) '::text) AND (NOT (EXISTS ( SELECT
                    FROM (regexp_matches((d.adbin)::text, ':(?:funcid|opfuncid) (\d+)'::text, 'g'::text) f(f)
                      JOIN pg_proc p ON ((p.oid = (f.f[1])::oid)))
                   WHERE (p.provolatile <> 'i'::"char")))))
            FROM (pg_attrdef d
              JOIN pg_attribute a ON (((a.attrelid = d.adrelid) AND (a.attnum = d.adnum))))
           WHERE ((d.adrelid = is_constant_default.relation) AND (d.adnum = is_constant_default.place) AND (a.attgenerated = ''::"char"))), true) AS "coalesce";
END;
COMMENT ON FUNCTION sync.is_constant_default(relation oid, place smallint) IS 'Whether the default of a column, if it has one, is the same at every node and at all times.';

-- describe_table(regclass); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.describe_table(relation regclass) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT jsonb_build_object('name', ((c.oid)::regclass)::text, 'schema', ((c.relnamespace)::regnamespace)::text, 'ordinary', ((c.relkind = 'r'::"char") AND (c.relpersistence = 'p'::"char")), 'owner', ((c.relowner)::regrole)::text, 'key', ( SELECT a.attname
            FROM (pg_index i
              JOIN pg_attribute a ON (((a.attrelid = i.indrelid) AND (a.attnum = i.indkey[0]))))
           WHERE ((i.indrelid = c.oid) AND i.indisprimary AND (i.indnkeyatts = 1) AND (a.atttypid = ('uuid'::regtype)::oid))), 'columns', ( SELECT COALESCE(jsonb_agg(jsonb_build_object('name', a.attname, 'type', ((a.atttypid)::regtype)::text, 'not_null', a.attnotnull, 'has_default', a.atthasdef, 'constant', sync.is_constant_default(a.attrelid, a.attnum)) ORDER BY a.attnum), '[]'::jsonb) AS "coalesce"
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
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  dismissed sync.quarantine;
begin
  if coalesce(why, '') = '' then
    raise exception 'a reason is required' using errcode = '22023', hint = 'It stays on record, and names no person.';
  end if;
  perform sync.refuse_secret(q.kind) from sync.quarantine q where q.quarantine_id = dismiss.quarantine_id;
  update sync.quarantine q
     set resolved_at = clock_timestamp(), detail = q.detail || format(' (dismissed by %s: %s)', sec.actor(), dismiss.why)
   where q.quarantine_id = dismiss.quarantine_id and q.resolved_at is null
  returning * into dismissed;
  if found then
    insert into sec.audit (event, subject, detail)
    values ('DISMISSED', format('%s of node %s, %s', dismissed.code, dismissed.node_id, dismissed.kind), dismiss.why);
  end if;
end $$;
COMMENT ON FUNCTION sync.dismiss(quarantine_id bigint, why text) IS 'Takes a row off the list although it was not applied, with a reason. What it holds stays in the wire tables. It is a security event.';

-- arrival; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.arrival (
    node_id integer NOT NULL,
    what text NOT NULL,
    subject text NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    seq bigint NOT NULL,
    CONSTRAINT arrival_what_check CHECK ((what = ANY (ARRAY['operations'::text, 'hash_chain'::text])))
);
COMMENT ON TABLE sync.arrival IS 'At central: what of each store was here at which moment, by central''s own clock. The clock of a store that was stolen says what its thief likes.';
COMMENT ON COLUMN sync.arrival.node_id IS 'The store.';
COMMENT ON COLUMN sync.arrival.what IS 'operations, or the documents of a hash_chain.';
COMMENT ON COLUMN sync.arrival.subject IS 'The hash chain, as in wire.doc; empty for operations.';
COMMENT ON COLUMN sync.arrival.at IS 'The moment. Of operations there is one in a minute in which some came, of a hash chain one a day.';
COMMENT ON COLUMN sync.arrival.seq IS 'All up to this number were here.';

-- documents_written(integer, timestamp with time zone); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.documents_written(node integer, since timestamp with time zone) RETURNS TABLE(doc_id uuid, kind text, chain text, chain_seq bigint, hlc bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 WITH chain AS (
          SELECT DISTINCT d_1.chain
            FROM wire.doc d_1
           WHERE (d_1.node_id = documents_written.node)
         ), start AS (
          SELECT c.chain,
             COALESCE(( SELECT (a.seq + 1)
                    FROM sync.arrival a
                   WHERE ((a.node_id = documents_written.node) AND (a.what = 'hash_chain'::text) AND (a.subject = c.chain) AND (a.at <= documents_written.since))
                   ORDER BY a.at DESC
                  LIMIT 1), (1)::bigint) AS from_seq
            FROM chain c
         )
  SELECT d.doc_id,
     d.kind,
     d.chain,
     d.chain_seq,
     d.hlc
    FROM (start s
      JOIN wire.doc d ON (((d.node_id = documents_written.node) AND (d.chain = s.chain) AND ((d.chain_seq >= s.from_seq) OR (d.chain_seq < 1)))))
   ORDER BY d.chain, d.chain_seq;
END;
COMMENT ON FUNCTION sync.documents_written(node integer, since timestamp with time zone) IS 'The documents of a store that were not here at a moment, as for sync.written_from. What was here of a hash chain is noted once a day, so there may be some of the day before.';

-- drop_login_statement(text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.drop_login_statement(login text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  select format(
    'do $do$ begin '
    'perform pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = %1$L; '
    'drop role if exists %1$I; end $do$', login)
$_$;
COMMENT ON FUNCTION sync.drop_login_statement(login text) IS 'The statement of a plan that drops the login of a peer, and ends what it does.';

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
     -- Operators call it, and read nothing of schema sec.
     where to_regclass(e.table_name) is not null and not starts_with(e.table_name, 'sec.')
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

-- end_overdue_snapshots(); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.end_overdue_snapshots() RETURNS integer
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  with overdue as (
    select a.snapshot_id, a.node_id from sync.accepted_snapshot a where a.ended_at is null and a.ends_at < clock_timestamp()
  ), ended as (
    select sync.note_end(o.snapshot_id, o.node_id, 'its time was over') from overdue o
  )
  select count(*)::integer from ended
$$;
COMMENT ON FUNCTION sync.end_overdue_snapshots() IS 'Ends the snapshots of stores whose time is over.';

-- end_restored(text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.end_restored(why text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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
COMMENT ON FUNCTION sync.end_restored(why text) IS 'Ends by hand what sync.notice_restored began: what this server has forgotten and not got back stays forgotten. Needed only when a peer never comes back that would have said that nothing is missing.';

-- end_snapshot(uuid, text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.end_snapshot(snapshot_id uuid, why text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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
COMMENT ON FUNCTION sync.end_snapshot(snapshot_id uuid, why text) IS 'Ends a snapshot that is on its way and hangs: no more of it is taken. What it has brought stays. A store asks central for another with sync.request.';

-- end_stream(text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.end_stream(store text) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET client_min_messages TO 'warning'
    SET lock_timeout TO '10s'
    AS $$
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
COMMENT ON FUNCTION sync.end_stream(store text) IS 'A step of sync.ban: nothing is sent to the store any more. Returns what could not be ended.';

-- end_subscription(text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.end_subscription(store text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  -- Its worker has ended then: nothing of the store is on its way into a table here.
  execute sync.unsubscribe_statement('tpv_from_' || sync.name_part(store));
end $$;
COMMENT ON FUNCTION sync.end_subscription(store text) IS 'A step of sync.ban: nothing of the store is taken any more.';

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
  lock table tpv_lock.merge in exclusive mode;
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
  -- Central takes more on a day, so that several days without a line may come at once.
  if sync.is_joined_store() and (
    select count(*) = 200 and min(e.at) >= current_date
      from (select l.at from sync.erasure l order by l.erasure_id desc limit 200) e) then
    raise exception 'this store has erased 200 rows today' using errcode = '55000',
      hint = 'Erase the row at central, or tomorrow.';
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

-- event_gauges(); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.event_gauges() RETURNS TABLE(event text, recent bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  -- Those that alarm are there while none of them is, so that a collector sees the first. How many there are
  -- in all would be no counter: old ones are removed.
  select e.event, sum(e.seen)::bigint
    from (select v.event, 0 as seen
            from (values ('BANNED'), ('CLONE'), ('FORGED_SENDER'), ('MORE_REFUSED'), ('NOT_ENTITLED'), ('NUMBER_REUSED'),
                         ('RESTORED_SAID'), ('SLOT_HOLDS_VACUUM')) as v (event)
          union all
          select a.event, 1 from sec.audit a where a.at > clock_timestamp() - interval '15 minutes') e
   group by e.event
$$;
COMMENT ON FUNCTION sync.event_gauges() IS 'How many security events of each kind there were in the last 15 minutes.';

-- peer_chain; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.peer_chain (
    node_id integer NOT NULL,
    name text NOT NULL,
    writer_id integer NOT NULL,
    chain text NOT NULL,
    chain_seq bigint NOT NULL,
    hash bytea NOT NULL,
    hlc bigint
)
WITH (fillfactor='70');
COMMENT ON TABLE sync.peer_chain IS 'The head of each hash chain that a peer sends to this node, as its heartbeats named it last. A row is written when its chain has moved.';
COMMENT ON COLUMN sync.peer_chain.node_id IS 'The peer.';
COMMENT ON COLUMN sync.peer_chain.name IS 'How the peer calls it: the name of a chain of its own; 1>2 for chain >2 of node 1, which it passes on.';
COMMENT ON COLUMN sync.peer_chain.writer_id IS 'The node that writes the chain.';
COMMENT ON COLUMN sync.peer_chain.chain IS 'Its name there, as in wire.doc.';
COMMENT ON COLUMN sync.peer_chain.chain_seq IS 'chain_seq of the last document; 0 when the peer names the chain no longer.';
COMMENT ON COLUMN sync.peer_chain.hash IS 'Link hash of that document.';
COMMENT ON COLUMN sync.peer_chain.hlc IS 'hlc of that document; null for a chain that is passed on.';

-- verified; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.verified (
    node_id integer NOT NULL,
    chain text NOT NULL,
    chain_seq bigint NOT NULL,
    hash bytea NOT NULL,
    verified_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
COMMENT ON TABLE sync.verified IS 'How far the hash chains of peers were followed here, link by link.';
COMMENT ON COLUMN sync.verified.node_id IS 'The node that writes the chain.';
COMMENT ON COLUMN sync.verified.chain IS 'Its name, as in wire.doc.';
COMMENT ON COLUMN sync.verified.chain_seq IS 'The last document that links.';
COMMENT ON COLUMN sync.verified.hash IS 'Its link hash.';
COMMENT ON COLUMN sync.verified.verified_at IS 'When.';

-- follow_hash_chains(sync.peer); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.follow_hash_chains(of_peer sync.peer) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 WITH head AS (
          SELECT c.name,
             c.writer_id,
             c.chain,
             c.chain_seq AS head_seq,
             c.hash AS head_hash,
             COALESCE(v.chain_seq, (0)::bigint) AS from_seq,
             COALESCE(v.hash, decode(repeat('00'::text, 32), 'hex'::text)) AS from_hash
            FROM (sync.peer_chain c
              LEFT JOIN sync.verified v ON (((v.node_id = c.writer_id) AND (v.chain = c.chain))))
           WHERE ((c.node_id = (follow_hash_chains.of_peer).node_id) AND ((c.chain_seq IS DISTINCT FROM v.chain_seq) OR (c.hash IS DISTINCT FROM v.hash)))
           ORDER BY
                 CASE
                     WHEN (( SELECT count(*) AS count
                        FROM sync.peer_chain o
                       WHERE (o.node_id = (follow_hash_chains.of_peer).node_id)) > 5000) THEN random()
                     ELSE NULL::double precision
                 END
          LIMIT 5000
         ), followed AS MATERIALIZED (
          SELECT h.name,
             h.writer_id,
             h.chain,
             h.head_seq,
             h.head_hash,
             h.from_seq,
             f_1.seq,
             f_1.hash,
             f_1.broken
            FROM (head h
              LEFT JOIN LATERAL tpv.follow_hash_chain(h.writer_id, h.chain, h.from_seq, h.from_hash, h.head_seq) f_1(seq, hash, broken) ON ((h.head_seq >= h.from_seq)))
         ), stored AS (
          INSERT INTO sync.verified AS v (node_id, chain, chain_seq, hash)  SELECT f_1.writer_id,
                     f_1.chain,
                     f_1.seq,
                     f_1.hash
                    FROM followed f_1
                   WHERE (f_1.seq > f_1.from_seq) ON CONFLICT(node_id, chain) DO UPDATE SET chain_seq = excluded.chain_seq, hash = excluded.hash, verified_at = excluded.verified_at
         )
  SELECT COALESCE(jsonb_agg(jsonb_build_object('chain', f.name, 'head_seq', f.head_seq, 'head_hash', encode(f.head_hash, 'hex'::text), 'from_seq', f.from_seq, 'followed',
         CASE
             WHEN (f.seq IS NOT NULL) THEN jsonb_build_object('seq', f.seq, 'hash', encode(f.hash, 'hex'::text), 'broken', f.broken)
             ELSE NULL::jsonb
         END, 'next_seq', ( SELECT min(d.chain_seq) AS min
            FROM wire.doc d
           WHERE ((d.node_id = f.writer_id) AND (d.chain = f.chain) AND (d.chain_seq > f.seq) AND (d.chain_seq <= f.head_seq)))) ORDER BY f.name), '[]'::jsonb) AS "coalesce"
    FROM followed f;
END;
COMMENT ON FUNCTION sync.follow_hash_chains(of_peer sync.peer) IS 'Follows the hash chains that a peer sends from where they were followed before to the heads that it named, link by link. Stores in sync.verified how far it came, and returns it.';

-- forget_banned(text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.forget_banned(store text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '10s'
    AS $$
declare
  node integer := sync.store_number(store);
begin
  perform sync.remove_peer(node);
  return null;
exception when lock_not_available then
  return 'what is kept for it as a peer';
end $$;
COMMENT ON FUNCTION sync.forget_banned(store text) IS 'A step of sync.ban: the store is no peer any more. Returns what is left to do, because somebody locks it.';

-- forget_the_future(); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.forget_the_future() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  -- Nothing is put off for longer than a quarter of an hour.
  update sync.request r set requested_at = clock_timestamp() where r.requested_at > clock_timestamp() + interval '20 minutes';
  update sync.served s
     set served_at = least(s.served_at, clock_timestamp()), snapshot_at = least(s.snapshot_at, clock_timestamp()),
         bytes_since = least(s.bytes_since, clock_timestamp())
   where greatest(s.served_at, s.snapshot_at, s.bytes_since) > clock_timestamp() + interval '20 minutes';
  update sync.drift d set requested_at = null
   where d.resolved_at is null and d.requested_at > clock_timestamp() + interval '20 minutes';
  update sync.peer p set heads_requested_at = null where p.heads_requested_at > clock_timestamp() + interval '20 minutes';
  update sync.quarantine q set try_at = clock_timestamp()
   where q.resolved_at is null and q.refused is null and q.try_at > clock_timestamp() + interval '20 minutes';
end $$;
COMMENT ON FUNCTION sync.forget_the_future() IS 'Corrects times that this server noted while its clock was ahead. What was asked for then would be due when the right clock comes there. sync.reconcile calls it.';

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
  if not tpv.may_write(tg_table_schema || '.' || tg_table_name, sync.is_joined_store()) then
    raise exception '% is decided by central', tg_table_schema || '.' || tg_table_name
      using errcode = '42501', hint = 'Change it at central; it arrives here by itself.';
  end if;
  return new;
end $$;
COMMENT ON FUNCTION sync.guard() IS 'Refuses what may not be written here: removals, and in a store what central decides.';

-- hear_question(integer, bigint, bigint); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.hear_question(peer integer, token bigint, stamps bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  update sync.peer p set own_token = hear_question.token
   where p.node_id = hear_question.peer and p.own_token is distinct from hear_question.token;
  if found then
    insert into sync.request as r (node_id, what, from_seq)
    values (hear_question.peer, 'own', least(greatest(hear_question.stamps, 1), 100000))
    on conflict (node_id, what, subject) do update set from_seq = excluded.from_seq;
  end if;
end $$;
COMMENT ON FUNCTION sync.hear_question(peer integer, token bigint, stamps bigint) IS 'A peer asks in its heartbeat what this node has of its rows.';

-- is_erased(text, text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.is_erased(table_name text, key text) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT tpv.is_erased(table_name, key) AS is_erased;
END;
COMMENT ON FUNCTION sync.is_erased(table_name text, key text) IS 'Whether a row was erased, as far as this node knows.';

-- is_looser(jsonb, jsonb, jsonb); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.is_looser(steps jsonb, before jsonb, after jsonb) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  -- A value that is not on the scale is looser than all that are.
  return (
    select coalesce(
      (select min(n) from jsonb_array_elements(steps) with ordinality as s (step, n) where step = after),
      jsonb_array_length(steps) + 1)
      > (select min(n) from jsonb_array_elements(steps) with ordinality as s (step, n) where step = before));
end $$;
COMMENT ON FUNCTION sync.is_looser(steps jsonb, before jsonb, after jsonb) IS 'Whether the second value is further up the scale than the first, or off it. Null when the first is not on it.';

-- is_restored(); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.is_restored() RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  return exists (select from sync.restored r where r.ended_at is null);
end $$;
COMMENT ON FUNCTION sync.is_restored() IS 'Whether this server was restored from a backup and has not got back yet what it forgot.';

-- join_plan(text, integer, text, integer, text, text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.join_plan(store_code text, store_id integer, central_code text, central_id integer, store_conninfo text, central_conninfo text) RETURNS TABLE(step integer, run_on text, sql text, why text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform sync.refuse_banned(join_plan.store_id);
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
COMMENT ON FUNCTION sync.join_plan(store_code text, store_id integer, central_code text, central_id integer, store_conninfo text, central_conninfo text) IS 'The statements by which a store joins: run those of each node there, in the order of steps, each on its own. Each can be repeated. Refuses a store that has joined. The two connections name no user: the plan makes a login for each. Refuses a store that is banned, too.';

-- join_steps(text, integer, text, integer, text, text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.join_steps(store_code text, store_id integer, central_code text, central_id integer, store_conninfo text, central_conninfo text) RETURNS TABLE(step integer, run_on text, sql text, why text)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select s.step, s.run_on, s.sql, s.why
    from (select 'tpv_to_' || sync.name_part(store_code) as down, 'tpv_from_' || sync.name_part(store_code) as up,
                 'tpv_up_' || sync.name_part(store_code) as up_slot,
                 sync.login_name(store_code) as store_login, sync.login_name(central_code) as central_login,
                 (select e.extversion from pg_catalog.pg_extension e where e.extname = 'pg_tpv') as extension,
                 sync.schema_version() as schema) v
   cross join lateral (values
    (10, central_code, format('select sync.add_peer(%s, %L, %L, %L, %s)', store_id, store_code, 'store', extension, schema),
      'central knows the store, and that its number is free'),
    (11, central_code, sync.publish_statement(down, format('to_node = %s', store_id), format('node_id <> %s', store_id),
                                              format('node_id = %s', central_id), format('to_node = %s', store_id)),
      'what goes down: operations of all other nodes, central''s heartbeats, documents and resends for the store'),
    (12, central_code, sync.slot_statement(down), 'from here on central keeps for the store what it decides'),
    (13, central_code, sync.login_statement(store_login, down, down),
      'what the store logs in as: it may stream that and do nothing else'),
    (20, store_code,
      format('select sync.add_peer(%s, %L, %L, %L, %s)', central_id, central_code, 'central', extension, schema),
      'the store knows central, and that it belongs to no other chain'),
    (21, store_code, sync.publish_statement('tpv_up', format('node_id = %s', store_id), format('node_id = %s', store_id),
                                            format('node_id = %s', store_id), format('node_id = %s', store_id)),
      'what goes up: the store''s own documents, operations, heartbeats and resends'),
    (22, store_code, sync.slot_statement(up_slot), 'from here on the store keeps for central what it records'),
    (23, store_code, sync.login_statement(central_login, up_slot, 'tpv_up'),
      'what central logs in as: it may stream that and do nothing else'),
    (24, store_code,
      sync.subscribe_statement('tpv_from_central', sync.conninfo_as(central_conninfo, store_login), down, down, 'any'),
      'the store subscribes to central'),
    (25, store_code, 'alter subscription tpv_from_central enable', 'and begins to receive'),
    (30, central_code,
      sync.subscribe_statement(up, sync.conninfo_as(store_conninfo, central_login), 'tpv_up', up_slot, 'none'),
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

-- ban; Type: TABLE; Schema: org; Owner: tpv_owner
CREATE TABLE org.ban (
    ban_id uuid DEFAULT tpv.uuid7() NOT NULL,
    node_id integer NOT NULL,
    last_seq bigint NOT NULL,
    joined_seq bigint,
    banned_at timestamp with time zone NOT NULL,
    banned_by text NOT NULL,
    why text NOT NULL,
    lifted_at timestamp with time zone,
    lifted_by text,
    lifted_why text,
    undone_seq bigint,
    deleted boolean DEFAULT false NOT NULL,
    CONSTRAINT ban_check CHECK ((deleted OR (why <> ''::text))),
    CONSTRAINT ban_check1 CHECK ((deleted OR ((lifted_at IS NULL) = (COALESCE(lifted_why, ''::text) = ''::text))))
);
COMMENT ON TABLE org.ban IS 'Stores whose machine is not believed any more, because it was stolen: sync.ban. Every node has the row, and refuses what the store wrote after it.';
COMMENT ON COLUMN org.ban.ban_id IS 'Key.';
COMMENT ON COLUMN org.ban.node_id IS 'The store''s node.';
COMMENT ON COLUMN org.ban.last_seq IS 'Its last operation that central had then. No node takes one with a higher number.';
COMMENT ON COLUMN org.ban.joined_seq IS 'sync.peer.joined_seq of the store at central, for when the ban is lifted.';
COMMENT ON COLUMN org.ban.banned_at IS 'When.';
COMMENT ON COLUMN org.ban.banned_by IS 'Who did it, by sec.actor().';
COMMENT ON COLUMN org.ban.why IS 'The reason. It names no person.';
COMMENT ON COLUMN org.ban.lifted_at IS 'When the ban was lifted; null while it holds.';
COMMENT ON COLUMN org.ban.lifted_by IS 'Who lifted it, by sec.actor().';
COMMENT ON COLUMN org.ban.lifted_why IS 'The reason for that. It names no person.';
COMMENT ON COLUMN org.ban.undone_seq IS 'From this operation of the store on, up to last_seq, what it wrote was taken back (sync.undo_written). One that waits because it cannot be read is merged by no node.';
COMMENT ON COLUMN org.ban.deleted IS 'Whether it was deleted. Rows are never removed.';

-- joined_before_ban(integer); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.joined_before_ban(node integer) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT b.joined_seq
    FROM org.ban b
   WHERE ((b.node_id = joined_before_ban.node) AND (b.joined_seq IS NOT NULL) AND (NOT b.deleted))
   ORDER BY b.banned_at DESC
  LIMIT 1;
END;
COMMENT ON FUNCTION sync.joined_before_ban(node integer) IS 'Up to which operation a store was alone when it joined, as its latest ban that knew it says. What a store that was banned wrote meanwhile is not of before.';

-- keep_password(text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.keep_password(subscription text) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  insert into sync.peer_password as w (node_id, word)
  select p.node_id, sync.password_in(s.subconninfo)
    from sync.peer p
    join pg_subscription s on s.subname = p.subscription_name
     and s.subdbid = (select d.oid from pg_database d where d.datname = current_database())
   where p.subscription_name = keep_password.subscription and sync.password_in(s.subconninfo) is not null
  on conflict (node_id) do update set word = excluded.word
$$;
COMMENT ON FUNCTION sync.keep_password(subscription text) IS 'Keeps the password of a subscription that a plan is about to drop, for the one that it makes then.';

-- kept_since(text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.kept_since(setting text) RETURNS timestamp with time zone
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT
         CASE current_setting(setting)
             WHEN '-1'::text THEN '-infinity'::timestamp with time zone
             ELSE (now() - (current_setting(setting))::interval)
         END AS "case";
END;
COMMENT ON FUNCTION sync.kept_since(setting text) IS 'What is older than this is not kept any more, by a setting such as pg_tpv.keep_audit.';

-- peer_vector; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.peer_vector (
    node_id integer NOT NULL,
    writer_id integer NOT NULL,
    seq bigint NOT NULL
)
WITH (fillfactor='70');
COMMENT ON TABLE sync.peer_vector IS 'Up to which number a peer has the operations of each node, as its last heartbeat said. A row is written when its number has changed.';
COMMENT ON COLUMN sync.peer_vector.node_id IS 'The peer.';
COMMENT ON COLUMN sync.peer_vector.writer_id IS 'The node that wrote the operations.';
COMMENT ON COLUMN sync.peer_vector.seq IS 'The peer has all of them up to this number.';

-- known_to_all(); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.known_to_all() RETURNS TABLE(node_id integer, seq bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT h.node_id,
     LEAST(h.seq, ( SELECT min(COALESCE(v.seq, (0)::bigint)) AS min
            FROM (sync.peer p
              LEFT JOIN sync.peer_vector v ON (((v.node_id = p.node_id) AND (v.writer_id = h.node_id))))
           WHERE (COALESCE(p.beat_at, p.added_at) >= sync.kept_since('pg_tpv.wait_for_peer'::text)))) AS "least"
    FROM sync.horizon h;
END;
COMMENT ON FUNCTION sync.known_to_all() IS 'For each node the number up to which its operations are here and at each peer. A peer that was not heard for pg_tpv.wait_for_peer does not count.';

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
    (23, central_code, sync.drop_login_statement(sync.login_name(store_code)), 'and it cannot log in'),
    (24, central_code, format('select sync.remove_peer(%s)', store_id), 'central no longer waits for it'),
    (30, store_code, sync.drop_slot_statement('tpv_up_' || sync.name_part(store_code)),
      'the store keeps nothing for central'),
    (31, store_code, 'drop publication if exists tpv_up', 'and offers nothing'),
    (32, store_code, sync.drop_login_statement(sync.login_name(central_code)), 'and central cannot log in'),
    (33, store_code, format('select sync.remove_peer(%s)', central_id), 'the store decides for itself again')
  ) as s (step, run_on, sql, why)
  order by s.step
$$;
COMMENT ON FUNCTION sync.leave_plan(store_code text, store_id integer, central_code text, central_id integer) IS 'The statements by which a store leaves: run those of each node there, in the order of steps, each on its own. Each can be repeated; rows that were exchanged stay.';

-- link(wire.doc); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.link(document wire.doc) RETURNS bytea
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select sync.link(document.node_id, document.chain, document.chain_seq, document.doc_id, document.kind, document.business_date,
                   document.prev_hash, document.content_hash)
$$;
COMMENT ON FUNCTION sync.link(document wire.doc) IS 'The same of a row of wire.doc.';

-- link(integer, text, bigint, uuid, text, date, bytea, bytea); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.link(node_id integer, chain text, chain_seq bigint, doc_id uuid, kind text, business_date date, prev_hash bytea, content_hash bytea) RETURNS bytea
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select sha256(prev_hash || content_hash || convert_to(
    concat_ws('/', node_id, chain, chain_seq, doc_id, kind, to_char(business_date, 'YYYY-MM-DD')), 'UTF8'))
$$;
COMMENT ON FUNCTION sync.link(node_id integer, chain text, chain_seq bigint, doc_id uuid, kind text, business_date date, prev_hash bytea, content_hash bytea) IS 'The link hash of a document: what the next of its hash chain names.';

-- link_of(text, bigint); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.link_of(chain text, chain_seq bigint) RETURNS bytea
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select sync.link(p.node_id, p.chain, p.chain_seq, p.doc_id, p.kind, p.business_date, p.prev_hash, p.content_hash)
    from (select d.node_id, d.chain, d.chain_seq, d.doc_id, d.kind, d.business_date, d.prev_hash, d.content_hash
            from wire.doc d
           where d.node_id = org.this_node() and d.chain = link_of.chain and d.chain_seq = link_of.chain_seq
          union all
          select s.node_id, s.chain, s.chain_seq, s.doc_id, s.kind, s.business_date, s.prev_hash, s.content_hash
            from sync.second_place s
           where s.node_id = org.this_node() and s.chain = link_of.chain and s.chain_seq = link_of.chain_seq) p limit 1
$$;
COMMENT ON FUNCTION sync.link_of(chain text, chain_seq bigint) IS 'The link hash of a document of this node, by its place; null when it is not here.';

-- lock_policies(); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.lock_policies() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  -- Alone among merges: one that had read the old rule would leave a value that the change does not
  -- see.
  lock table tpv_lock.merge in exclusive mode;
  return null;
end $$;
COMMENT ON FUNCTION sync.lock_policies() IS 'Keeps merges from running while policies change.';

-- name_part(text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.name_part(node_code text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT replace(lower(node_code), '-'::text, '_'::text) AS replace;
END;
COMMENT ON FUNCTION sync.name_part(node_code text) IS 'A node''s code as it is written in names of slots, which have no hyphen.';

-- login_name(text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.login_name(node_code text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT ('tpv_peer_'::text || sync.name_part(node_code));
END;
COMMENT ON FUNCTION sync.login_name(node_code text) IS 'What the server of a node logs in as at its peer.';

-- login_statement(text, text, text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.login_statement(login text, slot text, publication text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  -- The settings say what the extension lets it stream.
  select format(
    'do $do$ begin '
    'if not exists (select from pg_roles where rolname = %1$L) then create role %1$I; end if; '
    'alter role %1$I login replication nosuperuser nocreatedb nocreaterole nobypassrls; '
    'alter role %1$I set pg_tpv.peer_slot = %2$L; '
    'alter role %1$I set pg_tpv.peer_publication = %3$L; '
    'grant tpv_peer to %1$I; end $do$', login, slot, publication)
$_$;
COMMENT ON FUNCTION sync.login_statement(login text, slot text, publication text) IS 'The statement of a plan that makes the login of a peer, if it is not there, and says what it may stream. It gives no password.';

-- look_at_server(); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.look_at_server() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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
COMMENT ON FUNCTION sync.look_at_server() IS 'Looks whether this server was restored from a backup, as far as it can see that by itself. The background worker calls it.';

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
  perform sync.refuse_secret(loosen.table_name);
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
  perform sync.refuse_secret(make_alias.table_name);
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

-- mark(wire.op); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.mark(operation wire.op) RETURNS bigint
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select (operation.hlc # hashtextextended(concat_ws(' ', operation.table_name, operation.key, operation.patch), 0)) & 9223372036854775807
$$;
COMMENT ON FUNCTION sync.mark(operation wire.op) IS 'By what two operations of one number are told apart: the stamp, and what it says. A server that was put back soon may give the same stamps again.';

-- served; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.served (
    node_id integer NOT NULL,
    served_at timestamp with time zone NOT NULL,
    snapshot_at timestamp with time zone,
    bytes bigint DEFAULT 0 NOT NULL,
    bytes_since timestamp with time zone DEFAULT clock_timestamp() NOT NULL
)
WITH (fillfactor='50');
COMMENT ON TABLE sync.served IS 'When each peer had its turn, so that none waits for another that asks for more and more.';
COMMENT ON COLUMN sync.served.node_id IS 'The peer.';
COMMENT ON COLUMN sync.served.served_at IS 'When something was sent to it last.';
COMMENT ON COLUMN sync.served.snapshot_at IS 'When a snapshot was prepared that it had asked for. It gets the next one five minutes later.';
COMMENT ON COLUMN sync.served.bytes IS 'How much WAL its requests have made since bytes_since.';
COMMENT ON COLUMN sync.served.bytes_since IS 'Since when that is counted: for five minutes.';

-- mark_gap(integer); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.mark_gap(peer integer) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 UPDATE sync.peer AS p SET gap_beat = (COALESCE(p.beat, (0)::bigint) + 1)
   WHERE (p.node_id = mark_gap.peer);
 UPDATE sync.served AS s SET snapshot_at = NULL::timestamp with time zone
   WHERE (s.node_id = mark_gap.peer);
END;
COMMENT ON FUNCTION sync.mark_gap(peer integer) IS 'Notes that rows of a peer may have been missed. Comparing finds which.';

-- mend_triggers(); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.mend_triggers() RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET client_min_messages TO 'warning'
    AS $$
declare
  wrong record;
  mended integer := 0;
begin
  for wrong in select * from sync.our_triggers() t where t.enabled <> t.expected loop
    execute format('alter table only %s enable %s trigger %I', wrong.relation,
                   case wrong.expected when 'A' then 'always' else '' end, wrong.trigger_name);
    mended := mended + 1;
  end loop;
  return mended;
end $$;
COMMENT ON FUNCTION sync.mend_triggers() IS 'Enables each trigger as the migrations did, and returns how many were not. Its owner or a superuser calls it.';

-- move_to_this_life(text, bigint); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.move_to_this_life(chain text, from_seq bigint) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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
COMMENT ON FUNCTION sync.move_to_this_life(chain text, from_seq bigint) IS 'Moves documents of a hash chain of this node to its chain of this life: they have places there that belong to others. What they say and when they were recorded stays. Callers use sync.receive_own_documents.';

-- next_life(jsonb, jsonb); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.next_life(said jsonb, here jsonb) RETURNS integer
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select tpv.next_life(said, here, coalesce((select max(r.life) from sync.restored r), 1))
$$;
COMMENT ON FUNCTION sync.next_life(said jsonb, here jsonb) IS 'The life in which hash chains go on, given what a peer has of this node''s rows and what is here.';

-- node_gauges(); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.node_gauges() RETURNS TABLE(node text, kind text, version text, schema integer, is_restored integer, setup_faults bigint, quarantined bigint, held_receipts bigint, held_oldest_seconds double precision, conflicts_to_review bigint, months_ahead integer, in_default_partition integer, last_document_seconds double precision, sums_age_seconds double precision)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select n.node_code, n.kind, (select e.extversion from pg_extension e where e.extname = 'pg_tpv'), sync.schema_version(),
         sync.is_restored()::integer, (select count(*) from sync.setup_faults()),
         (select count(*) from sync.quarantine q where q.resolved_at is null), h.held, h.oldest,
         (select count(*) from sync.sibling s where s.review),
         (select count(*)::integer from generate_series(1, 3) as ahead (months)
           where to_regclass('wire.doc_' || to_char(current_date + make_interval(months => ahead.months), 'YYYY_MM')) is not null),
         (select exists (select from wire.doc_default)::integer),
         (select extract(epoch from clock_timestamp() - max(tpv.hlc_time(c.head_hlc)))::double precision
            from sync.hash_chain c where c.node_id = n.node_id and c.head_seq > 0),
         coalesce(extract(epoch from clock_timestamp() - least(
           (select min(t.at) from sync.touched t),
           (select min(d.due_at) from rollup.due d where d.due_at < clock_timestamp() and d.failed is null)))::double precision, 0)
    from sync.this_node t join org.node n on n.node_id = t.node_id
   cross join (select count(*) as held, extract(epoch from clock_timestamp() - min(r.recorded_at))::double precision as oldest
                 from sales.receipt r where r.state = 'held') h
$$;
COMMENT ON FUNCTION sync.node_gauges() IS 'How this node is, in one row of numbers.';

-- note_arrivals(integer); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.note_arrivals(node integer) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 INSERT INTO sync.arrival (node_id, what, subject, seq)  SELECT note_arrivals.node AS node,
             h.what,
             h.subject,
             h.seq
            FROM (( SELECT 'operations'::text AS what,
                     ''::text AS subject,
                     k.seq,
                     '00:00:00'::interval AS pause
                    FROM sync.contiguous() k(node_id, seq)
                   WHERE (k.node_id = note_arrivals.node)
                 UNION ALL
                  SELECT 'hash_chain'::text,
                     v.chain,
                     v.chain_seq,
                     '1 day'::interval AS "interval"
                    FROM sync.verified v
                   WHERE (v.node_id = note_arrivals.node)) h
              LEFT JOIN LATERAL ( SELECT a.seq,
                     a.at
                    FROM sync.arrival a
                   WHERE ((a.node_id = note_arrivals.node) AND (a.what = h.what) AND (a.subject = h.subject))
                   ORDER BY a.at DESC
                  LIMIT 1) last ON (true))
           WHERE ((last.at IS NULL) OR ((last.seq <> h.seq) AND (last.at <= (clock_timestamp() - h.pause)))) ON CONFLICT DO NOTHING;
END;
COMMENT ON FUNCTION sync.note_arrivals(node integer) IS 'Notes up to which number operations and documents of a store are here now, where that has changed. Central does so each minute when it compares itself with the store.';

-- note_clone(integer, text, integer, boolean); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.note_clone(node_id integer, life text, from_node integer, is_here boolean) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  found_at timestamptz := clock_timestamp();
  known sync.clone;
  -- A peer can name as many as it likes.
  most_a_day constant integer := 20;
begin
  select * into known from sync.clone c
   where c.node_id = note_clone.node_id and c.life = note_clone.life and c.from_node = note_clone.from_node;
  if known.settled_at is null and known.last_at > found_at - interval '10 seconds' then
    return;
  end if;
  if known.life is null and most_a_day <= (
    select count(*) from sync.clone c
     where c.node_id = note_clone.node_id and c.from_node = note_clone.from_node and c.first_at > found_at - interval '1 day') then
    return;
  end if;
  insert into sync.clone as c (node_id, life, from_node, is_here, first_at, last_at)
  values (note_clone.node_id, note_clone.life, note_clone.from_node, note_clone.is_here, found_at, found_at)
  on conflict on constraint clone_pkey do update set last_at = excluded.last_at, settled_at = null;
  if known.life is null or known.settled_at is not null then
    insert into sec.audit (event, subject, detail)
    values ('CLONE', format('node %s, life %s', note_clone.node_id, note_clone.life),
            format(case when note_clone.is_here then 'node %s refuses this server: another one has its place'
                        when note_clone.from_node = org.this_node()
                          then 'a second server says that it is that node, and was refused'
                        else 'node %s has refused a copy of this server' end, note_clone.from_node));
  end if;
end $$;
COMMENT ON FUNCTION sync.note_clone(node_id integer, life text, from_node integer, is_here boolean) IS 'Notes that a server was refused, since another one is that node (sync.clone), and raises the alarm once. Of one node it notes 20 a day.';

-- peer_password; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.peer_password (
    node_id integer NOT NULL,
    word text NOT NULL
);
COMMENT ON TABLE sync.peer_password IS 'The password by which this server logs in at a peer, between the step of a plan that drops a subscription and the one that makes it anew. Only superusers read it.';
COMMENT ON COLUMN sync.peer_password.node_id IS 'The peer.';
COMMENT ON COLUMN sync.peer_password.word IS 'As it stands in a connection.';

-- note_conninfo(text, text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.note_conninfo(subscription text, conninfo text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 DELETE FROM sync.peer_password AS w
    USING sync.peer p
   WHERE ((p.node_id = w.node_id) AND (p.subscription_name = note_conninfo.subscription));
 UPDATE sync.peer AS p SET conninfo = btrim(regexp_replace(note_conninfo.conninfo, '\s*\m(user|password)\s*=\s*(''([^''\\]|\\.)*''|\S+)'::text, ''::text, 'g'::text))
   WHERE (p.subscription_name = note_conninfo.subscription);
END;
COMMENT ON FUNCTION sync.note_conninfo(subscription text, conninfo text) IS 'Notes how the server of a peer is reached, without user and password, for when it joins again.';

-- note_place(integer, uuid, date, text, bigint, text, bigint, bytea, bytea); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.note_place(node_id integer, doc_id uuid, business_date date, kind text, hlc bigint, chain text, chain_seq bigint, prev_hash bytea, content_hash bytea) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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
COMMENT ON FUNCTION sync.note_place(node_id integer, doc_id uuid, business_date date, kind text, hlc bigint, chain text, chain_seq bigint, prev_hash bytea, content_hash bytea) IS 'Notes that a document that is here came again in another place of a hash chain: its writer was restored, and recorded it again.';

-- note_pruning(text, bigint); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.note_pruning(what text, gone bigint) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  insert into sync.pruning (what, gone) select note_pruning.what, note_pruning.gone where note_pruning.gone > 0;
  select note_pruning.gone;
$$;
COMMENT ON FUNCTION sync.note_pruning(what text, gone bigint) IS 'Notes in sync.pruning how many rows were removed, if any were.';

-- request; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.request (
    node_id integer NOT NULL,
    what text NOT NULL,
    subject text DEFAULT ''::text NOT NULL,
    from_seq bigint DEFAULT 1 NOT NULL,
    to_seq bigint,
    requested_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT request_what_check CHECK ((what = ANY (ARRAY['operations'::text, 'hash_chain'::text, 'snapshot'::text, 'heads'::text, 'own'::text, 'own_documents'::text])))
);
COMMENT ON TABLE sync.request IS 'What peers have requested and this node has not sent yet. The background worker sends it.';
COMMENT ON COLUMN sync.request.node_id IS 'The peer.';
COMMENT ON COLUMN sync.request.what IS 'operations of a node, documents of a hash chain, or a snapshot; heads: the next heartbeat is to name all hash chains; own: what this node has of the peer''s own rows; own_documents: documents of the peer itself, which it has forgotten.';
COMMENT ON COLUMN sync.request.subject IS 'The node whose operations they are, or the hash chain; 1>2 is chain >2 of node 1. For a snapshot the name under which central asked a store for it.';
COMMENT ON COLUMN sync.request.from_seq IS 'The next to send.';
COMMENT ON COLUMN sync.request.to_seq IS 'The last to send; null for all there are.';
COMMENT ON COLUMN sync.request.requested_at IS 'When it was requested. After an attempt that failed: when it is tried again.';

-- note_recorded_before(integer, text, bigint); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.note_recorded_before(node_id integer, chain text, seq bigint) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 INSERT INTO sync.request AS r (node_id, what, subject, from_seq, to_seq, requested_at)  SELECT note_recorded_before.node_id AS node_id,
             'own_documents',
             note_recorded_before.chain AS chain,
             note_recorded_before.seq AS seq,
             note_recorded_before.seq AS seq,
             (clock_timestamp() + '00:00:01'::interval)
            FROM org.node n
           WHERE ((n.node_id = org.this_node()) AND (n.kind = 'central'::text)) ON CONFLICT(node_id, what, subject) DO UPDATE SET from_seq = LEAST(r.from_seq, excluded.from_seq), to_seq =
         CASE
             WHEN (r.to_seq IS NOT NULL) THEN GREATEST(r.to_seq, excluded.to_seq)
             ELSE NULL::bigint
         END;
END;
COMMENT ON FUNCTION sync.note_recorded_before(node_id integer, chain text, seq bigint) IS 'At central: a store has sent a document with another stamp than the one that is here. It was restored, and the document was handed in again. The store is told when it was recorded first.';

-- note_refusal(oid, text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.note_refusal(subscription oid, life text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT sync.note_clone(org.this_node(), note_refusal.life, p.node_id, true) AS note_clone
    FROM (pg_subscription s
      JOIN sync.peer p ON ((p.subscription_name = s.subname)))
   WHERE (s.oid = note_refusal.subscription);
END;
COMMENT ON FUNCTION sync.note_refusal(subscription oid, life text) IS 'Notes that the peer of a subscription has refused this server. The background worker calls it.';

-- note_slots(); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.note_slots() RETURNS integer
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  with noted as (
    insert into sec.audit (event, subject, detail)
    select 'SLOT_HOLDS_VACUUM', r.slot_name, 'whoever fetches by this slot keeps all tables here from being vacuumed'
      from pg_replication_slots r
     where r.database = current_database() and r.slot_type = 'logical' and starts_with(r.slot_name, 'tpv_') and r.xmin is not null
       and not exists (select from sec.audit a
                        where a.event = 'SLOT_HOLDS_VACUUM' and a.subject = r.slot_name and a.at > clock_timestamp() - interval '1 day')
    returning 1
  )
  select count(*)::integer from noted
$$;
COMMENT ON FUNCTION sync.note_slots() IS 'Notes in sec.audit which slots of peers hold back vacuum, each once a day: a login that asks for that (feedback of a standby) is used for more than a subscription.';

-- note_touched(); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.note_touched() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  insert into sync.touched (at, entity, key)
  values (now(), format('%I.%I', tg_table_schema, tg_table_name), (to_jsonb(new) ->> tg_argv[0])::uuid);
  return null;
end $$;
COMMENT ON FUNCTION sync.note_touched() IS 'Trigger of tracked tables: the fold is to number the change. The argument names the column of the key.';

-- note_verified(sync.peer); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.note_verified(as_compared sync.peer) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  with free as (
    select p.node_id from sync.peer p where p.node_id = as_compared.node_id for update skip locked
  )
  update sync.peer p
     set verified_until = as_compared.low_water, verified_at = clock_timestamp(),
         received_until = greatest(p.received_until, as_compared.low_water),
         -- What a store said of before it joined holds as far as it is here.
         joined_seq = case when p.verified_at is null and exists (
                             select from org.node n where n.node_id = p.node_id and n.kind = 'store')
                           then least(p.joined_seq, coalesce((select k.seq from sync.contiguous() k where k.node_id = p.node_id), 0))
                           else p.joined_seq end,
         gap_beat = case when p.gap_beat > as_compared.beat then p.gap_beat end
    from free f where p.node_id = f.node_id
$$;
COMMENT ON FUNCTION sync.note_verified(as_compared sync.peer) IS 'Notes that all is here that a peer had reported when it was compared. Waits for nobody: a peer whose heartbeat is being received is noted the next time.';

-- notice_restored(text, integer); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.notice_restored(how text, life integer DEFAULT NULL::integer) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
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
end $_$;
COMMENT ON FUNCTION sync.notice_restored(how text, life integer) IS 'Notes that this server was restored from a backup. From then on hash chains go on in a new life, and changes of tracked tables are refused until all that was forgotten is here.';

-- our_triggers(); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.our_triggers() RETURNS TABLE(relation regclass, trigger_name name, enabled "char", expected "char")
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 WITH always(of_table, trigger_name) AS (
          VALUES ('catalog.barcode_rule'::text,'_150_check'::text), ('dat.profile'::text,'_150_check'::text), ('org.node'::text,'_000_forget'::text), ('org.ban'::text,'_000_forget'::text), ('org.terminal'::text,'_150_check'::text), ('sync.head'::text,'_100_guard'::text), ('sync.head'::text,'_100_guard_truncate'::text), ('sync.policy'::text,'_000_forget'::text), ('sync.policy'::text,'_910_choose'::text), ('sync.tracked_table'::text,'_000_forget'::text), ('wire.beat'::text,'_100_receive'::text), ('wire.doc'::text,'_100_receive'::text), ('wire.doc'::text,'_900_refuse'::text), ('wire.doc'::text,'_900_refuse_truncate'::text), ('wire.op'::text,'_100_receive'::text), ('wire.op'::text,'_900_refuse'::text), ('wire.op'::text,'_900_refuse_truncate'::text), ('wire.resend'::text,'_100_receive'::text)
         )
  SELECT (c.oid)::regclass AS oid,
     t.tgname,
     t.tgenabled,
     (
         CASE
             WHEN ((a.of_table IS NULL) AND (t.tgname <> ALL (ARRAY['_950_touched'::name, '_960_guess'::name, '_961_guess'::name]))) THEN 'O'::text
             ELSE 'A'::text
         END)::"char" AS "char"
    FROM ((((pg_trigger t
      JOIN pg_class c ON ((c.oid = t.tgrelid)))
      JOIN pg_namespace n ON ((n.oid = c.relnamespace)))
      LEFT JOIN pg_inherits i ON ((i.inhrelid = c.oid)))
      LEFT JOIN always a ON (((a.trigger_name = t.tgname) AND ((to_regclass(a.of_table))::oid = COALESCE(i.inhparent, c.oid)))))
   WHERE ((NOT t.tgisinternal) AND (t.tgname ~ '^_[0-9]{3}_'::text) AND (n.nspname = ANY (ARRAY['catalog'::name, 'dat'::name, 'org'::name, 'party'::name, 'sales'::name, 'sec'::name, 'sync'::name, 'wire'::name])));
END;
COMMENT ON FUNCTION sync.our_triggers() IS 'The triggers of this database that tpv made, and how each should be enabled: O in sessions, A always.';

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

-- own_token(); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.own_token(OUT token bigint, OUT stamps integer) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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
COMMENT ON FUNCTION sync.own_token(OUT token bigint, OUT stamps integer) IS 'What the next heartbeat carries to ask peers what they have of this node''s rows; nulls when it does not ask.';

-- password_in(text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.password_in(conninfo text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT (regexp_match(conninfo, '\m(password\s*=\s*(?:''(?:[^''\\]|\\.)*''|\S+))'::text))[1] AS regexp_match;
END;
COMMENT ON FUNCTION sync.password_in(conninfo text) IS 'The word of a connection that has the password.';

-- peer_gauges(); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.peer_gauges() RETURNS TABLE(peer text, direction text, state text, is_running integer, to_do integer, lag_bytes bigint, lag_operations bigint, slot_safe_bytes bigint, silent_seconds double precision, received_age_seconds double precision, verified_age_seconds double precision, drift bigint, quarantined bigint, ahead_seconds double precision, version text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select s.peer, s.direction, s.state, (s.state = 'running')::integer, (s.advice <> 'nothing to do')::integer, s.lag_bytes,
         s.lag_operations, s.slot_safe_bytes, extract(epoch from s.silent_for)::double precision,
         extract(epoch from clock_timestamp() - s.received_until)::double precision,
         extract(epoch from clock_timestamp() - s.verified_until)::double precision, s.drift, s.quarantined, s.ahead_ms / 1000.0,
         s.version
    from sync.status s
$$;
COMMENT ON FUNCTION sync.peer_gauges() IS 'sync.status in numbers: a row for each peer and direction.';

-- peer_of_slot(text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.peer_of_slot(slot text) RETURNS integer
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT p.node_id
    FROM (sync.peer p
      JOIN org.node n ON ((n.node_id = p.node_id)))
   WHERE (peer_of_slot.slot =
         CASE n.kind
             WHEN 'central'::text THEN ('tpv_up_'::text || sync.name_part(( SELECT h.node_code
                FROM org.node h
               WHERE (h.node_id = org.this_node()))))
             ELSE ('tpv_to_'::text || sync.name_part(n.node_code))
         END);
END;
COMMENT ON FUNCTION sync.peer_of_slot(slot text) IS 'The peer that a slot here is for; null when it is for none.';

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
            where i.table_name = new.table_name and i.contested
            order by 1, 2) h;
  return null;
end $$;
COMMENT ON FUNCTION sync.policy_changed() IS 'Chooses again among concurrent values when their policy changes.';

-- policy_dry_run(text, text, jsonb); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.policy_dry_run(table_name text, column_name text, rule jsonb) RETURNS TABLE(key text, value_now jsonb, value_then jsonb, differs boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform sync.refuse_secret(policy_dry_run.table_name);
  return query
    select d.key, d.value_now, d.value_then, d.differs
      from tpv.policy_dry_run(policy_dry_run.table_name, policy_dry_run.column_name, policy_dry_run.rule) d;
end $$;
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
  select sync.note_pruning('wire.beat', count(*)) from gone
$$;
COMMENT ON FUNCTION sync.prune_beats() IS 'Removes old heartbeats: all but the last thousand. pg_cron calls it each hour.';

-- prune_operations(integer); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.prune_operations(most integer DEFAULT 20000) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "pg_tpv.maintenance" TO 'on'
    AS $$
declare
  oldest timestamptz := sync.kept_since('pg_tpv.keep_operations');
  known text;
  before_hlc bigint;
  place sync.pruned;
  done record;
  remaining integer := most;
  total bigint := 0;
begin
  if oldest = '-infinity' then
    return 0;
  end if;
  -- Stamps may be ahead of the wall clock, by ten seconds after a start.
  before_hlc := case current_setting('pg_tpv.keep_operations') when '0' then 9223372036854775807
                     else floor(extract(epoch from oldest) * 1000)::bigint << 16 end;
  select json_object_agg(k.node_id, k.seq)::text into known from sync.known_to_all() k;
  if known is null then
    return 0;
  end if;
  insert into sync.pruned (node_id) select k.node_id from sync.known_to_all() k on conflict do nothing;
  -- Whose turn was longest ago. Another session that prunes is left alone.
  for place in select p.* from sync.pruned p order by p.looked_at, p.node_id for update skip locked loop
    exit when remaining <= 0;
    select p.* into done from tpv.prune_operations(place.node_id, place.next_seq, known, before_hlc, remaining) p;
    remaining := remaining - done.looked_at::integer;
    total := total + done.gone;
    -- From the end it goes on at the beginning: what was a head may have been replaced.
    update sync.pruned p
       set next_seq = case when remaining <= 0 then done.last_seq + 1 else 1 end,
           seq = case when done.gone > 0 then greatest(p.seq, done.last_seq) else p.seq end,
           gone = p.gone + done.gone, looked_at = clock_timestamp()
     where p.node_id = place.node_id;
  end loop;
  return sync.note_pruning('wire.op', total);
end $$;
COMMENT ON FUNCTION sync.prune_operations(most integer) IS 'Takes operations out of wire.op that are older than pg_tpv.keep_operations, that all peers have, and that nothing needs any more (tpv.prune_operations decides). Looks at so many at most. Returns how many left. pg_cron calls it each hour.';

-- prune_records(); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.prune_records() RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  gone bigint;
  total bigint := 0;
begin
  delete from sync.quarantine q where q.resolved_at < sync.kept_since('pg_tpv.keep_resolved');
  get diagnostics gone = row_count;
  total := total + sync.note_pruning('sync.quarantine', gone);
  delete from sync.drift d where d.resolved_at < sync.kept_since('pg_tpv.keep_resolved');
  get diagnostics gone = row_count;
  total := total + sync.note_pruning('sync.drift', gone);
  delete from sync.snapshot l
   where l.completed_at < sync.kept_since('pg_tpv.keep_resolved')
     -- sync.status says by the last one that the peer's rows are here.
     and exists (select from sync.snapshot n where n.node_id = l.node_id and n.completed_at > l.completed_at);
  get diagnostics gone = row_count;
  total := total + sync.note_pruning('sync.snapshot', gone);
  -- Of what is older than the journal the last row stays: it says what was here when that begins.
  delete from sync.arrival a
   where a.at < sync.kept_since('pg_tpv.keep_operations')
     and exists (select from sync.arrival n
                  where n.node_id = a.node_id and n.what = a.what and n.subject = a.subject
                    and n.at > a.at and n.at < sync.kept_since('pg_tpv.keep_operations'));
  delete from sync.refusal r where r.day < sync.kept_since('pg_tpv.keep_resolved');
  delete from sync.pruning p where p.at < sync.kept_since('pg_tpv.keep_resolved');
  delete from sync.clone c where c.last_at < sync.kept_since('pg_tpv.keep_resolved');
  delete from sync.change c where c.at < sync.kept_since('pg_tpv.keep_changes');
  get diagnostics gone = row_count;
  total := total + sync.note_pruning('sync.change', gone);
  delete from sec.audit a where a.at < sync.kept_since('pg_tpv.keep_audit');
  get diagnostics gone = row_count;
  return total + sync.note_pruning('sec.audit', gone);
end $$;
COMMENT ON FUNCTION sync.prune_records() IS 'Removes what is done and old: rows of sync.quarantine, sync.drift, sync.snapshot, sync.clone and sync.pruning (pg_tpv.keep_resolved), of sync.change (pg_tpv.keep_changes), and of sec.audit (pg_tpv.keep_audit). pg_cron calls it each day.';

-- prune_resends(); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.prune_resends() RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  -- What is still to be sent is in the WAL. The rows are kept only for people who want to look.
  with gone as (delete from wire.resend r where tpv.hlc_time(r.hlc) < now() - interval '1 day' returning 1),
       arrived as (
         delete from sync.awaited a
          where exists (select from wire.op o where o.node_id = a.node_id and o.seq = a.seq)
             or exists (select from sync.horizon h where h.node_id = a.node_id and h.seq >= a.seq))
  select sync.note_pruning('wire.resend', count(*)) from gone
$$;
COMMENT ON FUNCTION sync.prune_resends() IS 'Removes rows of wire.resend after a day, and rows of sync.awaited whose operation has arrived. pg_cron calls it each hour.';

-- prune_runs(); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.prune_runs() RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  gone bigint;
begin
  delete from cron.job_run_details r
   where r.username = current_user and coalesce(r.end_time, r.start_time) < sync.kept_since('pg_tpv.keep_runs');
  get diagnostics gone = row_count;
  if gone > 0 then
    raise log 'removed % old rows of cron.job_run_details', gone;
  end if;
  return gone;
end $$;
COMMENT ON FUNCTION sync.prune_runs() IS 'Removes old runs of the jobs of its caller from cron.job_run_details (pg_tpv.keep_runs). pg_cron calls it each day as tpv_cron, whose jobs are those of tpv.';

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
    'wire.beat (node_id, beat, hlc, low_water, ops, chains, version, more) where (%4$s), '
    'wire.resend (node_id, resend_id, to_node, hlc, kind, body) where (%5$s) '
    'with (publish = ''insert'', publish_via_partition_root = true); end if; end $do$', publication, docs, ops, beats, resends)
$_$;
COMMENT ON FUNCTION sync.publish_statement(publication text, docs text, ops text, beats text, resends text) IS 'The statement of a plan that makes a publication, if it is not there.';

-- receive_own(integer, jsonb); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.receive_own(peer integer, said jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  here org.node := (select n from org.node n where n.node_id = org.this_node());
  own jsonb;
  reused bigint[];
  found record;
  detail text;
  is_deeper boolean := false;
  operations_differ boolean;
  depth bigint;
begin
  update sync.peer p set own_at = clock_timestamp() where p.node_id = receive_own.peer;
  -- Nothing is written here meanwhile.
  perform from sync.op_counter c where c.node_id = here.node_id for update;
  own := jsonb_build_object(
    'last', coalesce((select c.last_seq from sync.op_counter c where c.node_id = here.node_id), 0),
    'stamps', (select coalesce(jsonb_agg(jsonb_build_array(o.seq, sync.mark(o))), '[]')
                 from jsonb_array_elements(said -> 'stamps') s
                 join wire.op o on o.node_id = here.node_id and o.seq = (s ->> 0)::bigint
                where strpos(o.patch, '"@blank":true') = 0),
    'chains', (select coalesce(jsonb_object_agg(c.key, jsonb_build_array(
                        coalesce((select h.head_seq from sync.hash_chain h where h.node_id = here.node_id and h.chain = c.key), 0),
                        encode(sync.link_of(c.key, (c.value ->> 0)::bigint), 'hex') || coalesce(
                          (select ' ' || d.hlc from wire.doc d
                            where d.node_id = here.node_id and d.chain = c.key and d.chain_seq = (c.value ->> 0)::bigint), ''))), '{}')
                 from jsonb_each(said -> 'chains') c));
  select array_agg(f.from_seq) filter (where f.what = 'reused'), max(f.detail), coalesce(bool_or(f.what = 'deeper'), false),
         coalesce(bool_or(f.what <> 'hash_chain'), false)
    into reused, detail, is_deeper, operations_differ
    from tpv.own_differences(said, own) f;
  if here.kind = 'central' then
    perform sync.weigh_own(peer, said, reused, detail, is_deeper);
    return;
  end if;
  if exists (select from sync.head h where h.lost_at is not null) then
    perform sync.request_lost(peer);
  end if;
  if detail is null then
    -- Chains of which central names none are none of its business any more.
    delete from sync.own_chain;
    if exists (select from sync.restored r where r.ended_at is null)
       and not exists (select from sync.head h where h.lost_at is not null)
       and not exists (select from sync.snapshot s where s.completed_at is null and s.ended_at is null)
       and (select coalesce(v.seq, 0) <= k.seq from sync.contiguous() k
              left join sync.peer_vector v on v.node_id = receive_own.peer and v.writer_id = here.node_id
             where k.node_id = here.node_id) is not false then
      perform sync.end_restored('central has nothing of this node that is not here');
    end if;
    return;
  end if;
  perform sync.notice_restored(detail, sync.next_life(said, own));
  if is_deeper then
    update sync.restored r set stamps = least(r.stamps * 10, 100000) where r.ended_at is null;
  elsif reused is not null then
    perform sync.set_aside_reused(reused, peer);
  end if;
  if operations_differ then
    perform sync.request_lost(peer);
  end if;
  delete from sync.own_chain c where not exists (
    select from tpv.own_differences(said, own) f where f.what = 'hash_chain' and f.subject = c.chain);
  for found in select * from tpv.own_differences(said, own) f where f.what = 'hash_chain' loop
    insert into sync.own_chain as c (chain, chain_seq, hash) values (found.subject, found.to_seq, found.hash)
    on conflict (chain) do update
      set chain_seq = excluded.chain_seq, hash = excluded.hash,
          depth = case when c.is_deeper then least(c.depth * 10, 1000000000) else c.depth end,
          requested_at = case when not c.is_deeper then c.requested_at end, is_deeper = false;
    with asked as (
      update sync.own_chain c set requested_at = clock_timestamp()
       where c.chain = found.subject and coalesce(c.requested_at < clock_timestamp() - interval '30 seconds', true)
      returning c.depth
    )
    select a.depth into depth from asked a;
    if depth is not null then
      perform sync.request_later(peer, json_build_array(json_build_object(
        'what', 'own_documents', 'subject', found.subject, 'from', greatest(found.from_seq - depth, 1), 'to', found.to_seq)));
    end if;
  end loop;
end $$;
COMMENT ON FUNCTION sync.receive_own(peer integer, said jsonb) IS 'A peer says what it has of this node''s own rows. If that is more than is here, or something else, this server was restored: a store sets aside what it wrote under numbers that were taken, and requests what it has forgotten. Central only notes what one peer says, and believes two.';

-- receive_own_documents(json); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.receive_own_documents(documents json) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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
COMMENT ON FUNCTION sync.receive_own_documents(documents json) IS 'Takes back documents of this node that central has and this server has forgotten. What it has recorded since under the same numbers moves to the hash chain of this life. When nothing is missing it takes back only when they were recorded.';

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
                         CASE
                             WHEN (w_1.what <> ALL (ARRAY['snapshot'::text, 'heads'::text])) THEN w_1.subject
                             WHEN ((w_1.what = 'snapshot'::text) AND c.asks AND (w_1.subject ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'::text)) THEN w_1.subject
                             ELSE ''::text
                         END AS subject,
                     COALESCE(w_1."from", (1)::bigint) AS from_seq,
                     w_1."to" AS to_seq
                    FROM (json_to_recordset(receive_request.wants) w_1(what text, subject text, "from" bigint, "to" bigint)
                      CROSS JOIN ( SELECT (EXISTS ( SELECT
                                    FROM org.node n
                                   WHERE ((n.node_id = receive_request.peer) AND (n.kind = 'central'::text)))) AS asks,
                             (EXISTS ( SELECT
                                    FROM org.node n
                                   WHERE ((n.node_id = org.this_node()) AND (n.kind = 'central'::text)))) AS is_central) c)
                   WHERE ((w_1.what = ANY (ARRAY['snapshot'::text, 'heads'::text])) OR ((w_1.what = 'own_documents'::text) AND c.is_central AND (EXISTS ( SELECT
                            FROM wire.doc d
                           WHERE ((d.node_id = receive_request.peer) AND (d.chain = w_1.subject))))) OR ((w_1.what = 'hash_chain'::text) AND (w_1.subject IS DISTINCT FROM '*'::text) AND (EXISTS ( SELECT
                            FROM (tpv.hash_chain_called(w_1.subject, org.this_node()) c_1(writer_id, chain)
                              JOIN wire.doc d ON (((d.node_id = c_1.writer_id) AND (d.chain = c_1.chain))))))) OR ((w_1.what = 'operations'::text) AND (w_1.subject IN ( SELECT (k.node_id)::text AS node_id
                            FROM sync.contiguous() k(node_id, seq)))))
                 UNION ALL
                  SELECT 'hash_chain'::text,
                     c.chain,
                     1,
                     NULL::bigint
                    FROM (json_to_recordset(receive_request.wants) w_1(what text, subject text)
                      CROSS JOIN LATERAL ( SELECT o.chain
                            FROM sync.own_hash_chains() o(chain)
                           WHERE ((w_1.what = 'hash_chain'::text) AND (w_1.subject = '*'::text))
                         UNION ALL
                          SELECT a.chain
                            FROM sync.addressed_hash_chains(receive_request.peer) a(chain)
                           WHERE (w_1.what = 'documents'::text)) c)) w
           GROUP BY w.what, w.subject ON CONFLICT(node_id, what, subject) DO UPDATE SET from_seq = LEAST(r.from_seq, excluded.from_seq), to_seq =
         CASE
             WHEN ((r.to_seq IS NULL) OR (excluded.to_seq IS NULL)) THEN NULL::bigint
             ELSE GREATEST(r.to_seq, excluded.to_seq)
         END;
END;
COMMENT ON FUNCTION sync.receive_request(peer integer, wants json) IS 'Puts the requests of a peer into sync.request. Hash chain * is each chain that this node writes; documents are those that are addressed to the peer.';

-- reconcile(); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.reconcile() RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  peer sync.peer;
  alike sync.peer[] := '{}';
  differences integer;
  open integer := 0;
begin
  begin
    lock table tpv_lock.reconcile in exclusive mode nowait;
  exception when lock_not_available then
    return null;
  end;
  perform sync.forget_the_future();
  perform sync.end_overdue_snapshots();
  perform sync.note_slots();
  -- Nobody joins for ever. What a store says of before it joined is otherwise cut when it is verified.
  with late as (
    select p.node_id, coalesce((select k.seq from sync.contiguous() k where k.node_id = p.node_id), 0) as seq
      from sync.peer p join org.node n on n.node_id = p.node_id and n.kind = 'store'
     where p.verified_at is null and p.added_at < clock_timestamp() - interval '7 days'
       for update of p skip locked
  )
  update sync.peer p set joined_seq = l.seq from late l
   where p.node_id = l.node_id and coalesce(p.joined_seq, l.seq + 1) > l.seq;
  for peer in select * from sync.peer p where p.beat is not null order by p.node_id loop
    begin
      differences := sync.compare_with(peer);
      if differences = 0 then
        alike := alike || peer;
      end if;
      open := open + differences;
    exception when others then
      -- What one peer says must not keep this node from comparing itself with the others.
      raise warning 'node % could not be compared with: %', peer.node_id, sqlerrm;
      open := open + 1;
    end;
  end loop;
  -- Last, and at once: the heartbeats of a peer wait for whoever has its row.
  foreach peer in array alike loop
    perform sync.note_verified(peer);
  end loop;
  return open;
end $$;
COMMENT ON FUNCTION sync.reconcile() IS 'Compares this node with each of its peers. Returns how many differences there are; null while another session is doing it. pg_cron calls it each minute.';

-- record_ban(text, text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.record_ban(store text, why text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '10s'
    AS $$
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
COMMENT ON FUNCTION sync.record_ban(store text, why text) IS 'A step of sync.ban: notes that a store is banned, for every node. Its stream has ended before.';

-- refuse_banned(integer); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.refuse_banned(node integer) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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
COMMENT ON FUNCTION sync.refuse_banned(node integer) IS 'Refuses a node that is banned, and says what to do instead.';

-- refuse_key_change(); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.refuse_key_change() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  raise exception 'the key of a row of % cannot change: KEY_CHANGED', tg_table_schema || '.' || tg_table_name
    using errcode = '22023', detail = 'Every node knows the row by it.',
      hint = 'Insert another row, and set deleted = true in this one.';
end $$;
COMMENT ON FUNCTION sync.refuse_key_change() IS 'Refuses another key for a tracked row: no operation could say it, and the nodes would differ.';

-- refuse_secret(text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.refuse_secret(table_name text) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if starts_with(refuse_secret.table_name, 'sec.') and not pg_has_role(session_user, 'tpv_owner', 'member') then
    raise exception 'tables of schema sec are for tpv_owner only' using errcode = '42501',
      hint = 'Let somebody do it who may become tpv_owner.';
  end if;
end $$;
COMMENT ON FUNCTION sync.refuse_secret(table_name text) IS 'Refuses an operator who means a table of schema sec: neither to show its values nor to decide about them.';

-- rejoin_plan(text, integer, text, integer, text, text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.rejoin_plan(store_code text, store_id integer, central_code text, central_id integer, store_conninfo text, central_conninfo text) RETURNS TABLE(step integer, run_on text, sql text, why text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
begin
  perform sync.refuse_banned(rejoin_plan.store_id);
  return query
  select s.step, s.run_on, s.sql, s.why
    from (values
    (1, central_code, sync.unsubscribe_statement('tpv_from_' || sync.name_part(store_code)),
      'the old stream to central ends'),
    (2, central_code, sync.drop_slot_statement('tpv_to_' || sync.name_part(store_code)),
      'the store''s slot here may be lost already'),
    (3, central_code, format('select sync.mark_gap(%1$s), sync.accept_life(%1$s, %2$L)', store_id, 'it joins again'),
      'received_until waits until both were compared; whichever server comes next is the store''s'),
    (4, store_code, sync.unsubscribe_statement('tpv_from_central'), 'the old stream to the store ends'),
    (5, store_code, sync.drop_slot_statement('tpv_up_' || sync.name_part(store_code)), 'central''s slot here may be lost already'),
    (6, store_code, format('select sync.mark_gap(%1$s), sync.accept_life(%1$s, %2$L)', central_id, 'it joins again'),
      'received_until waits here too, and the server of central may be another one')
  ) as s (step, run_on, sql, why)
  union all
  select * from sync.join_steps(store_code, store_id, central_code, central_id, store_conninfo, central_conninfo)
  order by 1;
end $_$;
COMMENT ON FUNCTION sync.rejoin_plan(store_code text, store_id integer, central_code text, central_id integer, store_conninfo text, central_conninfo text) IS 'The statements by which a store catches up after its slot was lost or it was away for too long. They are run like those of sync.join_plan. Nothing is emptied, and the store goes on selling.';

-- accepted_snapshot; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.accepted_snapshot (
    snapshot_id uuid NOT NULL,
    node_id integer NOT NULL,
    after_seq bigint NOT NULL,
    up_to_seq bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    actor text DEFAULT sec.actor() NOT NULL,
    why text NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    ended_why text,
    CONSTRAINT accepted_snapshot_why_check CHECK ((why <> ''::text))
);
COMMENT ON TABLE sync.accepted_snapshot IS 'Snapshots of stores that somebody at central asked for, with sync.accept_snapshot: central takes no other of a store.';
COMMENT ON COLUMN sync.accepted_snapshot.snapshot_id IS 'The snapshot: the store sends it under this name.';
COMMENT ON COLUMN sync.accepted_snapshot.node_id IS 'The store.';
COMMENT ON COLUMN sync.accepted_snapshot.after_seq IS 'What central still has: its own operations up to this number.';
COMMENT ON COLUMN sync.accepted_snapshot.up_to_seq IS 'What it has forgotten, at most: its own operations up to this number. Nothing beyond it is taken.';
COMMENT ON COLUMN sync.accepted_snapshot.at IS 'When it was asked for.';
COMMENT ON COLUMN sync.accepted_snapshot.actor IS 'Who did it, by sec.actor().';
COMMENT ON COLUMN sync.accepted_snapshot.why IS 'The reason. It names no person.';
COMMENT ON COLUMN sync.accepted_snapshot.ends_at IS 'Parts that come after this moment are not taken.';
COMMENT ON COLUMN sync.accepted_snapshot.ended_at IS 'When it was complete, was ended or was over; null while it is open.';
COMMENT ON COLUMN sync.accepted_snapshot.ended_why IS 'Which of these.';

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
COMMENT ON COLUMN sync.drift.subject IS 'The node whose operations they are, or the hash chain as the peer calls it: sync.peer_chain.name.';
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
    part_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    completed_at timestamp with time zone,
    ended_at timestamp with time zone
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
COMMENT ON COLUMN sync.snapshot.part_at IS 'When the last part arrived.';
COMMENT ON COLUMN sync.snapshot.completed_at IS 'When all parts had arrived and the sums agreed.';
COMMENT ON COLUMN sync.snapshot.ended_at IS 'When somebody ended it, or its time was over, before it was complete. Parts that come after that are not taken.';

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
 UPDATE sync.accepted_snapshot AS a SET ended_at = clock_timestamp(), ended_why = 'the peer left'::text
   WHERE ((a.node_id = remove_peer.node_id) AND (a.ended_at IS NULL));
 DELETE FROM sync.peer AS p
   WHERE (p.node_id = remove_peer.node_id);
END;
COMMENT ON FUNCTION sync.remove_peer(node_id integer) IS 'Removes a peer. What came from it stays.';

-- remove_row(text, text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.remove_row(table_name text, key text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
  tracked sync.tracked_table;
begin
  select * into strict tracked from sync.tracked_table t where t.table_name = remove_row.table_name;
  if exists (select from sync.head h where h.table_name = remove_row.table_name and h.key = remove_row.key) then
    raise exception 'that row has heads' using errcode = '55000';
  end if;
  execute format('delete from %s where %I::text = $1', tracked.table_name::regclass, tracked.key_column) using key;
end $_$;
COMMENT ON FUNCTION sync.remove_row(table_name text, key text) IS 'Removes a row that was made under numbers that had been given before a restore: no other node has it. Only apply workers can; anybody else is refused by the table''s guard.';

-- replay(bigint); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.replay(quarantine_id bigint) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  held sync.quarantine;
begin
  perform sync.refuse_secret(q.kind) from sync.quarantine q where q.quarantine_id = replay.quarantine_id;
  select * into held from sync.quarantine q
   where q.quarantine_id = replay.quarantine_id and q.code = 'ERASURE_LIMIT' and q.resolved_at is null;
  if found then
    -- Its number stands for an operation that writes nothing, at every node. So this node erases.
    if not sync.is_erased(held.kind, held.key) then
      perform sync.erase(held.kind, held.key::uuid, format('released: row %s of the quarantine', held.quarantine_id));
    end if;
    update sync.quarantine q set resolved_at = clock_timestamp() where q.quarantine_id = held.quarantine_id;
    return true;
  end if;
  return tpv.replay(quarantine_id);
end $$;
COMMENT ON FUNCTION sync.replay(quarantine_id bigint) IS 'Tries a row of sync.quarantine again: true when it is done, false when it still waits. An erasure that waits (ERASURE_LIMIT) is released: this node erases the row.';

-- replay_waiting(integer, boolean); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.replay_waiting(most integer DEFAULT 1000, only_due boolean DEFAULT false) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  item bigint;
  done integer := 0;
  is_done boolean;
begin
  for item in select w from sync.waiting(most, only_due) w loop
    -- A rebuild of projections may be at it, or have done it.
    perform from sync.quarantine q where q.quarantine_id = item and q.resolved_at is null for update skip locked;
    continue when not found;
    begin
      -- Not sync.replay, which refuses what is of schema sec. This tries everything alike, and
      -- shows nobody what it was.
      is_done := tpv.replay(item);
    exception when others then
      -- One that cannot even be tried must not keep the others from it.
      raise warning 'row % of sync.quarantine could not be tried: %', item, sqlerrm;
      update sync.quarantine q set at = clock_timestamp() where q.quarantine_id = item;
      is_done := false;
    end;
    if is_done then
      done := done + 1;
    else
      -- Pauses grow to 15 minutes, so that what waits for ever costs next to nothing.
      update sync.quarantine q
         set tries = least(q.tries + 1, 1000),
             try_at = clock_timestamp() + least(interval '1 minute' * (2 ^ least(q.tries, 6)), interval '15 minutes')
       where q.quarantine_id = item;
    end if;
  end loop;
  return done;
end $$;
COMMENT ON FUNCTION sync.replay_waiting(most integer, only_due boolean) IS 'Tries again what waits in quarantine, and returns how many rows are done: of each node its share, those first that have waited longest. With only_due those whose pause is over; pauses grow from a minute to a quarter of an hour. pg_cron calls it so each minute.';

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

-- request_heads(); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.request_heads() RETURNS integer
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  with free as (
    -- A row that somebody has is left for the next time: the background worker waits for nobody.
    select p.node_id from sync.peer p
     where p.beat_hlc is distinct from p.whole_hlc
       and coalesce(p.heads_requested_at < clock_timestamp() - interval '50 seconds', true)
       for update skip locked
  ), missed as (
    update sync.peer p set heads_requested_at = clock_timestamp() from free f where p.node_id = f.node_id
    returning p.node_id
  ), requested as (
    select sync.request(m.node_id, json_build_array(json_build_object('what', 'heads'))) from missed m
  )
  select count(*)::integer from requested
$$;
COMMENT ON FUNCTION sync.request_heads() IS 'Asks each peer of which a heartbeat is missing here to name all its hash chains in its next one; again after 50 seconds. Returns how many were asked. The background worker calls it.';

-- request_later(integer, json); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.request_later(peer integer, wants json) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 INSERT INTO sync.outgoing (to_node, kind, body)
   VALUES (request_later.peer, 'request'::text, (json_build_object('wants', request_later.wants))::text);
END;
COMMENT ON FUNCTION sync.request_later(peer integer, wants json) IS 'Has the background worker request rows from a peer: what an apply worker writes into wire.resend came from a peer.';

-- request_lost(integer); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.request_lost(peer integer) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  -- Once in a while: central answers when it can.
  update sync.restored r set snapshot_requested_at = clock_timestamp()
   where r.ended_at is null and coalesce(r.snapshot_requested_at < clock_timestamp() - interval '5 minutes', true);
  if found then
    perform sync.request_later(peer, '[{"what": "snapshot"}]');
  end if;
end $$;
COMMENT ON FUNCTION sync.request_lost(peer integer) IS 'Requests a snapshot with what this server has forgotten. Callers use sync.receive_own.';

-- require_central(); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.require_central() RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if not exists (select from org.node n where n.node_id = org.this_node() and n.kind = 'central') then
    raise exception 'this node is not central' using errcode = '22023', hint = 'Central decides that. Run it there.';
  end if;
end $$;
COMMENT ON FUNCTION sync.require_central() IS 'Refuses what central alone does.';

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
  perform sync.refuse_secret(resolve_conflict.table_name);
  -- Alone among merges, and before any row is locked: see tpv.resolve_conflict.
  lock table tpv_lock.merge in exclusive mode;
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

-- restored_plan(text, text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.restored_plan(central_conninfo text, reason text DEFAULT 'this server was restored'::text) RETURNS TABLE(step integer, run_on text, sql text, why text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  here org.node := (select n from org.node n where n.node_id = org.this_node());
begin
  if here.kind is distinct from 'central' then
    raise exception 'this node is not central' using errcode = '22023',
      hint = 'A store that was restored is brought back by sync.rejoin_plan.';
  end if;
  return query
    select 0, here.node_code, format('select sync.notice_restored(%L)', restored_plan.reason),
           'nobody changes here what the chain shares, until it is back'
    union all (
    select s.step, s.run_on, s.sql, s.why
      from sync.peer p
      join org.node n on n.node_id = p.node_id
      join pg_subscription u on u.subname = p.subscription_name
       and u.subdbid = (select d.oid from pg_database d where d.datname = current_database())
       and not exists (select from org.ban b where b.node_id = n.node_id and b.lifted_at is null and not b.deleted)
     cross join lateral (
       -- The plan names the login anew, and passwords stay.
       select r.* from sync.rejoin_plan(n.node_code, n.node_id, here.node_code, here.node_id,
                                        p.conninfo,
                                        restored_plan.central_conninfo) r
        -- What this server decided a second time must not go to a store as its state.
        where r.step <> 32
       union all
       -- When every store has said in a heartbeat what it has.
       select 40, here.node_code, format('select sync.ask_when_heard(%s, %L)', n.node_id, restored_plan.reason),
              'what the store decided, and what central had decided and forgot, comes back in a snapshot'
       union all
       select 50, here.node_code, format('select sync.send_when_whole(%s)', n.node_id),
              'the store gets a snapshot of all tracked rows') s
     order by s.step, n.node_id);
end $$;
COMMENT ON FUNCTION sync.restored_plan(central_conninfo text, reason text) IS 'The statements that bring back a central that was restored, for all its stores at once: run those of each node there, in the order of steps, each on its own. How the stores are reached is taken from the subscriptions here; central_conninfo is how they reach this server. Stores that are banned are left out.';

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

-- send_snapshot(integer, uuid); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.send_snapshot(to_node integer, asked uuid DEFAULT NULL::uuid) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  here integer := org.this_node();
  is_central boolean := (select n.kind = 'central' from org.node n where n.node_id = org.this_node());
  sent bigint;
begin
  -- One after the other, so that their parts do not mix.
  lock table tpv_lock.snapshot in exclusive mode;
  perform sync.end_overdue_snapshots();
  if exists (select from sync.snapshot l where l.completed_at is null and l.ended_at is null) then
    raise exception 'an incoming snapshot is not complete yet'
      using errcode = '55000',
        hint = 'It is in sync.snapshot, where completed_at is null. Wait for the rest of it, or end it with sync.end_snapshot.';
  end if;
  -- Central takes nothing of a third node from a store. What central itself decided it takes, to where nothing
  -- is missing.
  if not is_central and exists (
    select from wire.op o left join sync.contiguous() k on k.node_id = o.node_id
     where o.node_id = send_snapshot.to_node and o.seq > coalesce(k.seq, 0)) then
    raise exception 'operations of node % are here beyond a gap, and a store cannot pass them on', to_node
      using errcode = '55000', hint = 'Wait until the gap is filled. sync.contiguous() shows it.';
  end if;
  -- One statement sees one moment: the heads of all rows, and which operations went into them.
  with known as (
    select k.node_id, k.seq from sync.contiguous() k
  ), unread as (
    -- Operations that this version cannot read. They are in the journal and in no heads, so the
    -- snapshot does not cover them; the receiver may be able to read them.
    select o.* from sync.quarantine q join wire.op o on o.node_id = q.node_id and o.seq = q.seq
     where q.code like 'OPERATION%' and q.code <> 'OPERATION_KEY' and q.resolved_at is null
  ), beyond as (
    -- Operations beyond a gap. They are sent as operations as well, and first: they may name what
    -- is in the gap.
    select o.* from wire.op o left join known k on k.node_id = o.node_id where o.seq > coalesce(k.seq, 0)
     and not exists (select from unread u where u.node_id = o.node_id and u.seq = o.seq)
  ), every_range as (
    select b.what, b.node_id, min(b.seq) as from_seq, max(b.seq) as to_seq
      from (select o.what, o.node_id, o.seq, o.seq - row_number() over (partition by o.what, o.node_id order by o.seq) as place
              from (select 'beyond' as what, e.node_id, e.seq from beyond e
                    union all
                    select 'without', u.node_id, u.seq from unread u) o) b
     group by b.what, b.node_id, b.place
  ), range as (
    -- Every part names them. Of a node with very many gaps the rest is left out, and comes again by
    -- comparing; until then a value that was replaced there may stand beside the one that replaced it.
    select f.* from (select e.*, row_number() over (partition by e.what, e.node_id order by e.from_seq) as nth
                       from every_range e) f
     where f.what = 'without' or f.nth <= 1000
  ), knows as (
    select (select coalesce(json_object_agg(k.node_id, k.seq order by k.node_id), '{}') from known k) as vector,
           (select coalesce(json_agg(json_build_array(r.node_id, r.from_seq, r.to_seq) order by r.node_id, r.from_seq), '[]')
              from range r where r.what = 'beyond') as beyond,
           (select coalesce(json_agg(json_build_array(r.node_id, r.from_seq, r.to_seq) order by r.node_id, r.from_seq), '[]')
              from range r where r.what = 'without') as without
  ), snapshot as (
    select coalesce(send_snapshot.asked, tpv.uuid7()) as snapshot_id
  ), entity as (
    select json_build_array(h.table_name, h.key, h.heads::json) as item,
           -- Policies first: the rest is then chosen once. At most 500 rows or some megabytes: a peer
           -- refuses a part that is too large.
           array[(row_number() over sized - 1) / 500, sum(octet_length(h.heads)) over sized / 4000000] as part
      from sync.head h
     -- A row without heads has merged nothing.
     where h.heads <> '{}'
    window sized as (order by h.table_name <> 'sync.policy', h.table_name, h.key)
  ), part as materialized (
    select t.part, (select json_build_object('snapshot', l.snapshot_id, 'vector', w.vector, 'beyond', w.beyond,
                                             'without', w.without, 'rows', json_agg(t.item))::text
                      from snapshot l cross join knows w) as body
      from entity t group by t.part
  ), operation as (
    -- A node gets its own operations from nobody, and central those of a store from nobody but that store.
    select b.*, array[(row_number() over sized - 1) / 500, sum(octet_length(b.patch) + octet_length(b.base)) over sized / 4000000]
             as part
      from (select e.* from beyond e
             where exists (select from range r
                            where r.what = 'beyond' and r.node_id = e.node_id and e.seq between r.from_seq and r.to_seq)
            union all select * from unread) b
     where b.node_id <> send_snapshot.to_node and (is_central or b.node_id = here)
    window sized as (order by b.node_id, b.seq)
  ), message (step, nth, kind, body) as (
    select 1, o.part, 'operations',
           json_build_object('operations', json_agg(json_build_array(
             o.node_id, o.seq, o.hlc, o.table_name, o.key, o.patch, o.base) order by o.node_id, o.seq))::text
      from operation o group by o.part
    union all
    select 2, p.part, 'snapshot', p.body from part p
    union all
    select 3, array[0, 0]::bigint[], 'snapshot_end', json_build_object('snapshot', l.snapshot_id, 'vector', w.vector, 'beyond', w.beyond,
             'without', w.without,
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
COMMENT ON FUNCTION sync.send_snapshot(to_node integer, asked uuid) IS 'Prepares a snapshot of all tracked rows for a peer, with the operations that it covers; the background worker sends it. Returns how many rows of sync.outgoing it made. asked is the name under which central asked a store for it.';

-- send_when_whole(integer); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.send_when_whole(store integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  until timestamptz := clock_timestamp() + interval '5 minutes';
begin
  while exists (select from sync.own_said) or exists (select from sync.head h where h.lost_at is not null)
        or exists (select from sync.accepted_snapshot a where a.ended_at is null) loop
    if clock_timestamp() > until then
      raise exception 'this server has not got back yet what it forgot' using errcode = '55000',
        hint = 'sync.own_said and sync.accepted_snapshot show what is missing. When that is over, run this step again.';
    end if;
    perform pg_sleep(0.2);
  end loop;
  return sync.send_snapshot(store);
end $$;
COMMENT ON FUNCTION sync.send_when_whole(store integer) IS 'Waits until this server has got back what it forgot, then sends a store a snapshot. A step of sync.restored_plan.';

-- serve_request(sync.request, integer); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.serve_request(wanted sync.request, most integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
  here integer := org.this_node();
  is_central boolean := (select n.kind = 'central' from org.node n where n.node_id = org.this_node());
  last_seq bigint;
  writer integer;
  name text;
  sent integer := 0;
begin
  if not exists (select from sync.peer p where p.node_id = wanted.node_id) then
    delete from sync.request r where r.node_id = wanted.node_id;
    return 0;
  end if;
  -- Central believes no snapshot of a store that it has not asked for, so a store sends what it has.
  if wanted.what = 'operations' and is_central
     and wanted.from_seq <= (select h.seq from sync.horizon h where h.node_id::text = wanted.subject)
     and (wanted.from_seq <= (select p.seq from sync.pruned p where p.node_id::text = wanted.subject)
          or not exists (select from wire.op o where o.node_id = wanted.subject::integer and o.seq = wanted.from_seq)) then
    -- It came here in a snapshot, or left the journal, and can only be passed on in a snapshot.
    if sync.snapshot_was_sent(wanted.node_id, wanted.subject, wanted.from_seq) then
      -- It is on its way. The peer asks again if it lacks them all the same.
      delete from sync.request r where r.node_id = wanted.node_id and r.what = wanted.what and r.subject = wanted.subject;
      return 1;
    end if;
    -- One snapshot has the operations of all writers.
    delete from sync.request r where r.node_id = wanted.node_id and r.what in ('operations', 'snapshot');
    wanted.what := 'snapshot';
  end if;
  if wanted.what = 'snapshot' then
    if is_central and sync.is_restored() then
      -- What it decided a second time, under numbers that were given, must not go to a store as its state.
      insert into sync.request as r (node_id, what, subject, requested_at)
      values (wanted.node_id, 'snapshot', wanted.subject, clock_timestamp() + interval '5 seconds')
      on conflict (node_id, what, subject) do update set requested_at = excluded.requested_at;
      return 1;
    end if;
    if is_central and exists (
         select from sync.served s
                where s.node_id = wanted.node_id and s.snapshot_at > clock_timestamp() - interval '5 minutes') then
      -- It had one a moment ago, of all rows. What it lacks all the same it asks for again.
      insert into sync.request as r (node_id, what, subject, requested_at)
      select wanted.node_id, 'snapshot', wanted.subject, s.snapshot_at + interval '5 minutes' from sync.served s where s.node_id = wanted.node_id
      on conflict (node_id, what, subject) do update set requested_at = excluded.requested_at;
      return 1;
    end if;
    -- Central names the one that it asks for.
    sent := sync.send_snapshot(wanted.node_id,
                               case when wanted.subject ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then wanted.subject::uuid end);
    update sync.served s set snapshot_at = clock_timestamp() where s.node_id = wanted.node_id;
  elsif wanted.what = 'operations' and (is_central or wanted.subject = here::text) then
    with part as (
      -- At most 500 operations or some megabytes.
      select o.*, array[(row_number() over sized - 1) / 500,
                        sum(octet_length(o.patch) + octet_length(o.base)) over sized / 4000000] as part from (
        select * from wire.op o
         where o.node_id = wanted.subject::integer and o.seq >= wanted.from_seq
           and (wanted.to_seq is null or o.seq <= wanted.to_seq)
         order by o.seq limit most) o
      window sized as (order by o.seq)
    ), written as (
      insert into wire.resend (node_id, to_node, hlc, kind, body)
      select here, wanted.node_id, tpv.hlc_now(), 'operations',
             json_build_object('operations', json_agg(json_build_array(
               p.node_id, p.seq, p.hlc, p.table_name, p.key, p.patch, p.base) order by p.seq))::text
        from part p group by p.part order by p.part
    )
    select count(*), max(p.seq) into sent, last_seq from part p;
  elsif wanted.what = 'own' then
    -- It is small, and one row.
    perform sync.send(wanted.node_id, 'own', sync.what_it_has(wanted.node_id, wanted.from_seq)::text);
  elsif wanted.what in ('hash_chain', 'own_documents') then
    -- Beforehand: only values that the planner takes for constants lead it along the index.
    if wanted.what = 'hash_chain' then
      select c.writer_id, c.chain into writer, name from tpv.hash_chain_called(wanted.subject, here) c;
    else
      writer := wanted.node_id;
      name := wanted.subject;
    end if;
    with part as (
      -- At most 100 documents or a megabyte; one that is larger goes alone.
      select d.*, (row_number() over chain - 1) / 100 as hundred,
             (sum(octet_length(d.body)) over chain - octet_length(d.body)) / 1000000 as megabyte
        from (
        select d.*, false as is_second from wire.doc d
         where d.node_id = writer and d.chain = name and d.chain_seq >= wanted.from_seq and (wanted.to_seq is null or d.chain_seq <= wanted.to_seq)
           and (wanted.what = 'hash_chain' or is_central)
           -- A store gives central all that it writes. Central gives a store what is addressed to
           -- it.
           and (not is_central or d.to_node = wanted.node_id or wanted.what = 'own_documents')
           and (is_central or d.node_id = here)
        union all
        -- The same document in another place: see sync.second_place.
        select d.node_id, d.doc_id, d.business_date, d.kind, d.to_node, s.hlc, d.schema_version, s.chain, s.chain_seq, s.prev_hash,
               d.body, s.content_hash, true
          from sync.second_place s
          join wire.doc d on d.node_id = s.node_id and d.doc_id = s.doc_id and d.business_date = s.business_date
         where s.node_id = writer and s.chain = name and s.chain_seq >= wanted.from_seq
           and (wanted.to_seq is null or s.chain_seq <= wanted.to_seq) and (wanted.what = 'own_documents') = is_central
         order by chain_seq limit most) d
      window chain as (order by d.chain_seq)
    ), written as (
      insert into wire.resend (node_id, to_node, hlc, kind, body)
      select here, wanted.node_id, tpv.hlc_now(), case wanted.what when 'hash_chain' then 'documents' else 'own_documents' end,
             json_build_object('documents', json_agg(json_build_object(
               'node_id', p.node_id, 'doc_id', p.doc_id, 'business_date', p.business_date, 'kind', p.kind,
               'to_node', p.to_node, 'hlc', p.hlc, 'schema_version', p.schema_version, 'chain', p.chain,
               'chain_seq', p.chain_seq, 'prev_hash', p.prev_hash, 'body', p.body, 'content_hash', p.content_hash,
               'second', case when p.is_second then true end) order by p.chain_seq))::text
        from part p group by p.hundred, p.megabyte order by p.hundred, p.megabyte
    )
    select count(*), max(p.chain_seq) into sent, last_seq from part p;
  end if;
  if wanted.what in ('operations', 'hash_chain', 'own_documents') and sent = most then
    update sync.request r set from_seq = last_seq + 1
     where r.node_id = wanted.node_id and r.what = wanted.what and r.subject = wanted.subject;
  else
    delete from sync.request r where r.node_id = wanted.node_id and r.what = wanted.what and r.subject = wanted.subject;
  end if;
  return greatest(sent, 1);
end $_$;
COMMENT ON FUNCTION sync.serve_request(wanted sync.request, most integer) IS 'Sends the next part of what a peer requested.';

-- serve_requests(integer); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.serve_requests(most integer DEFAULT 2000) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  -- Central sends a store no more than this in five minutes. What somebody needs after months comes
  -- in a snapshot. A store sends central all that it has.
  most_bytes bigint := case when exists (select from org.node n where n.node_id = org.this_node() and n.kind = 'central')
                            then 256000000 else 9000000000000000000 end;
  turn integer;
  wanted sync.request;
  sent integer;
  began pg_lsn := pg_current_wal_insert_lsn();
begin
  update sync.served s set bytes = 0, bytes_since = clock_timestamp()
   where s.bytes > 0 and s.bytes_since < clock_timestamp() - interval '5 minutes';
  -- The peers take turns: whoever asks for more and more waits for the others.
  select p.node_id into turn
    from sync.peer p left join sync.served s on s.node_id = p.node_id
   where exists (select from sync.outgoing o where o.to_node = p.node_id)
      or exists (select from sync.request r
                  where r.node_id = p.node_id and r.requested_at <= clock_timestamp() and r.what <> 'heads'
                    and coalesce(s.bytes, 0) < most_bytes)
   order by s.served_at nulls first, p.node_id limit 1;
  if not found then
    delete from sync.outgoing o where not exists (select from sync.peer p where p.node_id = o.to_node);
    return 0;
  end if;
  insert into sync.served as s (node_id, served_at) values (turn, clock_timestamp())
  on conflict (node_id) do update set served_at = excluded.served_at;
  with part as (
    delete from sync.outgoing o where o.nth = (select min(f.nth) from sync.outgoing f where f.to_node = turn)
    returning o.to_node, o.kind, o.body
  )
  insert into wire.resend (node_id, to_node, hlc, kind, body)
  select org.this_node(), p.to_node, tpv.hlc_now(), p.kind, p.body from part p;
  if found then
    return 1;
  end if;
  -- Operations before documents: a receipt waits in quarantine until the operation that tells of
  -- its store is here.
  select * into wanted from sync.request r
   where r.node_id = turn and r.requested_at <= clock_timestamp() and r.what <> 'heads'
     and exists (select from sync.served s where s.node_id = turn and s.bytes < most_bytes)
   order by r.what = 'own' desc, r.what = 'snapshot' desc, r.what = 'operations' desc, r.requested_at limit 1 for update skip locked;
  if not found then
    -- It is just being repeated, or the peer has had enough.
    return 1;
  end if;
  begin
    sent := sync.serve_request(wanted, serve_requests.most);
    update sync.served s set bytes = s.bytes + pg_wal_lsn_diff(pg_current_wal_insert_lsn(), began)::bigint where s.node_id = turn;
    return sent;
  exception when others then
    -- A request that cannot be served must not keep the background worker from the others, nor from
    -- heartbeats.
    raise warning 'the request of node % could not be served: %', wanted.node_id, sqlerrm;
    update sync.request r set requested_at = clock_timestamp() + interval '1 minute'
     where r.node_id = wanted.node_id and r.what = wanted.what and r.subject = wanted.subject;
    return 1;
  end;
end $$;
COMMENT ON FUNCTION sync.serve_requests(most integer) IS 'Sends the next part of what peers requested, to each in turn. Returns 0 if there was nothing to send. The background worker calls it.';

-- set_aside_reused(bigint[], integer); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.set_aside_reused(seqs bigint[], peer integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  here integer := org.this_node();
  gone integer;
begin
  perform set_config('pg_tpv.maintenance', 'on', true);
  with aside as (
    delete from wire.op o where o.node_id = here and o.seq = any (seqs) returning o.*
  ), noted as (
    insert into sync.quarantine (node_id, kind, code, detail, key, refused)
    select here, a.table_name, 'NUMBER_REUSED',
           format('its number was given before this server was restored; node %s has that operation, and it stands', peer), a.key,
           jsonb_build_object('seq', a.seq, 'hlc', a.hlc, 'key', a.key, 'patch', a.patch, 'base', a.base)
      from aside a
  ), lost as (
    update sync.head h set heads = '{}', waits = true, contested = false, lost_at = clock_timestamp()
      from (select distinct a.table_name, a.key from aside a) k
     where (h.table_name, h.key) = (k.table_name, k.key)
  ), told as (
    -- The peer refuses them and keeps them, so that both sides have both values.
    insert into sync.outgoing (to_node, kind, body)
    select set_aside_reused.peer, 'operations',
           json_build_object('operations', json_agg(json_build_array(
             a.node_id, a.seq, a.hlc, a.table_name, a.key, a.patch, a.base) order by a.seq))::text
      from (select a.*, (row_number() over (order by a.seq)) / 50 as part from aside a) a group by a.part
  ), conflicts as (
    delete from sync.sibling s using (select distinct a.table_name, a.key from aside a) k
     where (s.table_name, s.key) = (k.table_name, k.key)
  )
  select count(*) into gone from aside;
  -- An operation that waited under one of these numbers waits no longer.
  delete from sync.quarantine q where q.node_id = here and q.seq = any (seqs) and q.refused is null;
  update sync.horizon h set seq = least(h.seq, (select min(s) from unnest(seqs) s) - 1) where h.node_id = here;
  perform set_config('pg_tpv.maintenance', 'off', true);
  if gone > 0 then
    insert into sec.audit (event, subject, detail)
    values ('NUMBER_REUSED', format('node %s', here),
            format('%s operations had numbers that were given before a restore; sync.quarantine keeps them', gone));
  end if;
  return gone;
end $$;
COMMENT ON FUNCTION sync.set_aside_reused(seqs bigint[], peer integer) IS 'Sets aside operations of this node whose numbers were given before it was restored: what they wrote is on record in sync.quarantine, and what stands comes with a snapshot.';

-- due; Type: TABLE; Schema: rollup; Owner: tpv_owner
CREATE TABLE rollup.due (
    node_id integer NOT NULL,
    business_date date NOT NULL,
    department text NOT NULL,
    round bigint NOT NULL,
    due_at timestamp with time zone NOT NULL,
    failed text
)
WITH (autovacuum_vacuum_threshold='1000', autovacuum_vacuum_scale_factor='0');
COMMENT ON TABLE rollup.due IS 'Buckets (a store''s business day and department) that are to be summed up again.';
COMMENT ON COLUMN rollup.due.node_id IS 'The store''s node.';
COMMENT ON COLUMN rollup.due.business_date IS 'The business day.';
COMMENT ON COLUMN rollup.due.department IS 'The department.';
COMMENT ON COLUMN rollup.due.round IS 'The first round in which it was touched.';
COMMENT ON COLUMN rollup.due.due_at IS 'Not before this.';
COMMENT ON COLUMN rollup.due.failed IS 'Why it could not be summed up the last time; it is tried again each minute.';

-- setup_faults(); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.setup_faults() RETURNS TABLE(what text, remedy text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT format('%s triggers are not enabled as they should be (%s)'::text, count(*), ((array_agg(format('%s on %s'::text, t.trigger_name, t.relation) ORDER BY (t.relation)::text, t.trigger_name))[1] ||
         CASE
             WHEN (count(*) > 1) THEN ' and others'::text
             ELSE ''::text
         END)) AS format,
     'after a restore with --disable-triggers they are not; run: select sync.mend_triggers()'::text
    FROM sync.our_triggers() t(relation, trigger_name, enabled, expected)
   WHERE (t.enabled <> t.expected)
  HAVING (count(*) > 0)
 UNION ALL
  SELECT format('table %s lacks its trigger %s'::text, e.table_name, g.name) AS format,
     format('run: select sync.track(%L)'::text, e.table_name) AS format
    FROM (sync.tracked_table e
      CROSS JOIN ( VALUES ('_100_guard_delete'::text), ('_100_guard_key'::text), ('_100_guard_truncate'::text), ('_900_capture'::text), ('_950_touched'::text)) g(name))
   WHERE ((to_regclass(e.table_name) IS NOT NULL) AND (NOT (EXISTS ( SELECT
            FROM pg_trigger t
           WHERE ((t.tgrelid = (to_regclass(e.table_name))::oid) AND (t.tgname = g.name))))))
 UNION ALL
  SELECT format('%s belongs to %s'::text, (c.oid)::regclass, pg_get_userbyid(c.relowner)) AS format,
     format('run: alter %s %s owner to tpv_owner'::text,
         CASE c.relkind
             WHEN 'v'::"char" THEN 'view'::text
             WHEN 'S'::"char" THEN 'sequence'::text
             ELSE 'table'::text
         END, (c.oid)::regclass) AS format
    FROM (pg_class c
      JOIN pg_namespace n ON ((n.oid = c.relnamespace)))
   WHERE ((n.nspname = ANY (ARRAY['bi'::name, 'catalog'::name, 'dat'::name, 'journal'::name, 'org'::name, 'own'::name, 'party'::name, 'rollup'::name, 'sales'::name, 'sec'::name, 'sync'::name, 'tpv_lock'::name, 'wire'::name])) AND (c.relkind = ANY (ARRAY['r'::"char", 'p'::"char", 'v'::"char", 'S'::"char"])) AND (pg_get_userbyid(c.relowner) <> 'tpv_owner'::name))
 UNION ALL
  SELECT format('function %s belongs to %s'::text, (p.oid)::regprocedure, pg_get_userbyid(p.proowner)) AS format,
     format('run: alter routine %s owner to tpv_owner'::text, (p.oid)::regprocedure) AS format
    FROM (pg_proc p
      JOIN pg_namespace n ON ((n.oid = p.pronamespace)))
   WHERE ((n.nspname = ANY (ARRAY['bi'::name, 'catalog'::name, 'dat'::name, 'org'::name, 'own'::name, 'party'::name, 'rollup'::name, 'sales'::name, 'sec'::name, 'sync'::name, 'wire'::name])) AND (pg_get_userbyid(p.proowner) <> 'tpv_owner'::name))
 UNION ALL
  SELECT format('subscription %s belongs to %s'::text, s.subname, pg_get_userbyid(s.subowner)) AS format,
     'a dump does not say it: run sync.rejoin_plan for that peer'::text
    FROM (sync.peer p
      JOIN pg_subscription s ON ((s.subname = p.subscription_name)))
   WHERE ((s.subdbid = ( SELECT d.oid
            FROM pg_database d
           WHERE (d.datname = current_database()))) AND (pg_get_userbyid(s.subowner) <> 'tpv_apply'::name))
 UNION ALL
  SELECT format('slot %s holds back vacuum'::text, r.slot_name) AS format,
     'no subscription does that: was the peer tampered with? sync.leave_plan ends its slot and its login'::text
    FROM pg_replication_slots r
   WHERE ((r.database = current_database()) AND (r.slot_type = 'logical'::text) AND starts_with((r.slot_name)::text, 'tpv_'::text) AND (r.xmin IS NOT NULL))
 UNION ALL
  SELECT format('%s is %s'::text, s.setting_name, s.value) AS format,
     s.remedy
    FROM ( VALUES ('wal_level'::text,((current_setting('wal_level'::text) <> 'logical'::text) AND (EXISTS ( SELECT
                    FROM sync.peer))),current_setting('wal_level'::text),'set it to logical in postgresql.conf and restart the server'::text), ('pg_tpv.database'::text,(current_setting('pg_tpv.database'::text, true) IS DISTINCT FROM current_database()),current_setting('pg_tpv.database'::text, true),format('set it to %s in postgresql.conf and restart the server: the background worker works there'::text, current_database())), ('pg_tpv.fold_interval'::text,(current_setting('pg_tpv.fold_interval'::text, true) = '0'::text),'0'::text,'the change log is not written and sums do not follow: set it to 1s'::text), ('max_worker_processes'::text,((current_setting('max_worker_processes'::text))::integer < ((current_setting('max_logical_replication_workers'::text))::integer + 4)),current_setting('max_worker_processes'::text),format('set it to %s or more in postgresql.conf and restart the server: workers of tpv or of subscriptions do not start'::text, ((current_setting('max_logical_replication_workers'::text))::integer + 8))), ('pg_tpv.beat_interval'::text,((current_setting('pg_tpv.beat_interval'::text, true) = '0'::text) AND (EXISTS ( SELECT
                    FROM sync.peer))),'0'::text,'peers hear nothing of this node: set it to 5s'::text)) s(setting_name, is_wrong, value, remedy)
   WHERE s.is_wrong
 UNION ALL
  SELECT format('the login %s of an analyst has no limit of time'::text, l.rolname) AS format,
     format('run: alter role %I in database %I set statement_timeout = ''5min''; docs/analyst.md has all of them'::text, l.rolname, current_database()) AS format
    FROM pg_roles l
   WHERE (l.rolcanlogin AND (NOT l.rolsuper) AND pg_has_role(l.oid, 'tpv_analyst'::name, 'usage'::text) AND (NOT (EXISTS ( SELECT
            FROM (pg_db_role_setting r
              CROSS JOIN LATERAL unnest(r.setconfig) c(setting))
           WHERE (((r.setrole = l.oid) OR (r.setrole = (0)::oid)) AND (r.setdatabase = ANY (ARRAY[(0)::oid, ( SELECT d.oid
                    FROM pg_database d
                   WHERE (d.datname = current_database()))])) AND (c.setting ~ '^statement_timeout=(?!0$)'::text))))))
 UNION ALL
  SELECT format('%s days of departments cannot be summed up (%s of department %s of node %s: %s)'::text, count(*), (array_agg(d.business_date ORDER BY d.business_date, d.department))[1], (array_agg(d.department ORDER BY d.business_date, d.department))[1], (array_agg(d.node_id ORDER BY d.business_date, d.department))[1], (array_agg(d.failed ORDER BY d.business_date, d.department))[1]) AS format,
     'the others are; docs/dba.md, "Sums are behind"'::text
    FROM rollup.due d
   WHERE (d.failed IS NOT NULL)
  HAVING (count(*) > 0)
 UNION ALL
  SELECT 'subscriptions do not name the life of this server'::text,
     'a superuser runs what tpv-migrate bootstrap-sql prints'::text
   WHERE ((EXISTS ( SELECT
            FROM sync.peer)) AND (NOT (EXISTS ( SELECT
            FROM (pg_db_role_setting r
              JOIN pg_roles o ON ((o.oid = r.setrole)))
           WHERE ((o.rolname = 'tpv_apply'::name) AND (r.setdatabase = (0)::oid) AND ('pg_tpv.names_life=on'::text = ANY (r.setconfig)))))))
 UNION ALL
  SELECT format('a setting of the database or a role is %s'::text, c.setting) AS format,
         CASE
             WHEN (c.setting ~~ 'pg_tpv.%'::text) THEN 'documents could be changed: take it back with alter … reset pg_tpv.maintenance'::text
             ELSE 'its sessions would change rows behind the triggers: take it back with alter … reset session_replication_role'::text
         END AS "case"
    FROM (pg_db_role_setting r
      CROSS JOIN LATERAL unnest(r.setconfig) c(setting))
   WHERE ((r.setdatabase = ANY (ARRAY[(0)::oid, ( SELECT d.oid
            FROM pg_database d
           WHERE (d.datname = current_database()))])) AND (((c.setting ~~ 'session\_replication\_role=%'::text) AND (c.setting <> 'session_replication_role=origin'::text)) OR (c.setting = ANY (ARRAY['pg_tpv.maintenance=on'::text, 'pg_tpv.maintenance=true'::text]))));
END;
COMMENT ON FUNCTION sync.setup_faults() IS 'What is not as the migrations made it: triggers, owners, settings; and how to mend it. tpv-migrate status shows it, and the server''s log has it at each start.';

-- shared(jsonb, text[]); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.shared(image jsonb, columns text[]) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  return (select array_agg(lower(image ->> c) order by c) from unnest(columns) c having bool_and(image ->> c is not null));
end $$;
COMMENT ON FUNCTION sync.shared(image jsonb, columns text[]) IS 'The values by which a row could be a duplicate, in lower case; null when one of them is null.';

-- shut_login(text, text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.shut_login(store text, why text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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
COMMENT ON FUNCTION sync.shut_login(store text, why text) IS 'The first step of sync.ban: refuses what is no ban, and lets nobody log in any more as the store.';

-- slot_statement(text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.slot_statement(slot text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  select format('select pg_create_logical_replication_slot(%1$L, ''pgoutput'') '
                'where not exists (select from pg_replication_slots where slot_name = %1$L)', slot)
$_$;
COMMENT ON FUNCTION sync.slot_statement(slot text) IS 'The statement of a plan that makes a slot, if it is not there.';

-- snapshot_was_sent(integer, text, bigint); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.snapshot_was_sent(to_node integer, writer text, seq bigint) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 WITH sent AS MATERIALIZED (
          SELECT s.body
            FROM wire.resend s
           WHERE ((s.node_id = org.this_node()) AND (s.to_node = snapshot_was_sent.to_node) AND (s.kind = 'snapshot_end'::text) AND (tpv.hlc_time(s.hlc) > (clock_timestamp() - '00:05:00'::interval)))
         )
  SELECT (EXISTS ( SELECT
            FROM sent s
           WHERE (((((s.body)::json -> 'vector'::text) ->> snapshot_was_sent.writer))::bigint >= snapshot_was_sent.seq))) AS "exists";
END;
COMMENT ON FUNCTION sync.snapshot_was_sent(to_node integer, writer text, seq bigint) IS 'Whether a snapshot that covers this operation went to a peer in the last five minutes, so that it may still be on its way. A peer that asks after that gets another one.';

-- store_number(text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.store_number(store text) RETURNS integer
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  number integer := (select n.node_id from org.node n where n.node_code = store_number.store and n.kind = 'store');
begin
  if number is null then
    raise exception 'there is no store of that name' using errcode = 'P0002', hint = 'Give it as org.node.node_code has it, such as S02.';
  end if;
  return number;
end $$;
COMMENT ON FUNCTION sync.store_number(store text) IS 'The number of a store''s node, by its name; refuses a name that no store has.';

-- subscribe_statement(text, text, text, text, text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.subscribe_statement(subscription text, conninfo text, publication text, slot text, origin text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
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

-- take_own_document(wire.doc, boolean); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.take_own_document(came wire.doc, is_second boolean) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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
COMMENT ON FUNCTION sync.take_own_document(came wire.doc, is_second boolean) IS 'Takes back one document of this node, as an exact continuation of its hash chain here. Callers use sync.receive_own_documents.';

-- take_stamps(json); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.take_stamps(documents json) RETURNS TABLE(business_date date, taken bigint)
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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
COMMENT ON FUNCTION sync.take_stamps(documents json) IS 'Takes back when documents of this node were recorded: they were handed in again after it was restored, in the same order, and nothing but their stamps is another. Returns how many of which day. Callers use sync.receive_own_documents.';

-- tell_ban(text, integer, text[]); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.tell_ban(recorded text, people integer, VARIADIC left_over text[]) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT concat_ws('; '::text, recorded,
         CASE
             WHEN (people > 0) THEN format('employees whose passwords are on that machine, and should be changed: %s'::text, people)
             ELSE NULL::text
         END,
         CASE
             WHEN (cardinality(array_remove(left_over, NULL::text)) > 0) THEN format('NOT DONE YET: %s: call sync.ban again'::text, array_to_string(left_over, '; '::text))
             ELSE NULL::text
         END) AS concat_ws;
END;
COMMENT ON FUNCTION sync.tell_ban(recorded text, people integer, VARIADIC left_over text[]) IS 'What sync.ban answers.';

-- this_life(text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.this_life(chain text) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select split_part(chain, '~', 1) || coalesce((select '~' || max(r.life) from sync.restored r having max(r.life) > 1), '')
$$;
COMMENT ON FUNCTION sync.this_life(chain text) IS 'The hash chain in which one goes on now.';

-- track(text, text, jsonb, text, jsonb, jsonb, jsonb); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.track(table_name text, writer text DEFAULT NULL::text, groups jsonb DEFAULT NULL::jsonb, owner_column text DEFAULT NULL::text, duplicates jsonb DEFAULT NULL::jsonb, only_stricter jsonb DEFAULT NULL::jsonb, sets jsonb DEFAULT NULL::jsonb) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    SET client_min_messages TO 'warning'
    AS $_$
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
            and t.tgname in ('_100_guard', '_100_guard_delete', '_100_guard_key', '_100_guard_truncate', '_900_capture',
                             '_950_touched'))
        < 5 + (after.writer = 'central')::integer
  then
    execute format('drop trigger if exists _100_guard on %s', relation);
    execute format('drop trigger if exists _100_guard_delete on %s', relation);
    execute format('drop trigger if exists _100_guard_key on %s', relation);
    execute format('drop trigger if exists _100_guard_truncate on %s', relation);
    execute format('drop trigger if exists _900_capture on %s', relation);
    execute format('drop trigger if exists _950_touched on %s', relation);
    -- What the merge writes is nobody's decision. WHEN saves even the call of the trigger for it.
    if writer = 'central' then
      execute format('create trigger _100_guard before insert or update on %s '
                     'for each row when (tpv.is_capturing()) execute function sync.guard()', relation);
    end if;
    execute format('create trigger _100_guard_key before update on %s for each row '
                   'when (old.%2$I is distinct from new.%2$I) execute function sync.refuse_key_change()', relation, key_name);
    execute format('create trigger _100_guard_delete before delete on %s '
                   'for each row execute function sync.guard()', relation);
    execute format('create trigger _100_guard_truncate before truncate on %s '
                   'for each statement execute function sync.guard()', relation);
    execute format('create constraint trigger _900_capture after insert or update on %s deferrable initially deferred '
                   'for each row when (tpv.is_capturing()) execute function sync.capture()', relation);
    -- What the merge writes was changed, too.
    execute format('create trigger _950_touched after insert or update on %s '
                   'for each row execute function sync.note_touched(%L)', relation, key_name);
    execute format('alter table %s enable always trigger _950_touched', relation);
    report := report || 'added its triggers; ';
  end if;
  execute format('drop trigger if exists _200_check on %s', relation);
  if owner_column is not null or duplicates <> '{}' or only_stricter <> '{}' or sets <> '{}' then
    execute format('create trigger _200_check before insert or update on %s '
                   'for each row when (tpv.is_capturing()) execute function sync.check_row()', relation);
  end if;
  execute format('grant select, insert, update on %s to tpv_apply', relation);
  -- Rows that are there already become operations now, so that the journal is whole. Not what a
  -- store has set aside: central decides about it.
  execute format('select count(tpv.capture_change(%L, null, to_jsonb(t))) from %s t '
                 'where not exists (select from sync.head h where h.table_name = %3$L and h.key = t.%4$I::text)'
                 ' and not exists (select from sync.set_aside a where a.table_name = %3$L and a.key = t.%4$I::text)',
                 track.table_name, relation, track.table_name, key_name) into existing;
  if report = '' and existing = 0 and to_jsonb(before) = to_jsonb(after) then
    return format('%s was tracked like this already', table_name);
  end if;
  return report || format('%s is tracked by %s, written by %s; %s rows were there', table_name, key_name, writer, existing);
end $_$;
COMMENT ON FUNCTION sync.track(table_name text, writer text, groups jsonb, owner_column text, duplicates jsonb, only_stricter jsonb, sets jsonb) IS 'Shares a table with the chain: adds the columns and triggers that it lacks, and an operation for each row that is there. Returns what it did. Can be repeated; an argument that is left out stays as it was.';

-- unban(text, text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.unban(store text, why text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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
COMMENT ON FUNCTION sync.unban(store text, why text) IS 'Lifts the ban of a store whose machine was found and is to be trusted again. sync.rejoin_plan brings it back, with all that it wrote meanwhile.';

-- undo_written(text, timestamp with time zone, text, bigint); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.undo_written(store text, since timestamp with time zone, why text, since_seq bigint DEFAULT NULL::bigint) RETURNS TABLE(seq bigint, table_name text, key text, column_name text, value_written jsonb, value jsonb, outcome text, detail text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
#variable_conflict use_column
declare
  node integer := sync.store_number(store);
  moment timestamptz := clock_timestamp();
  from_seq bigint;
begin
  -- Alone among merges, and before any row is locked: see tpv.undo_written.
  lock table tpv_lock.merge in exclusive mode;
  perform sync.require_central();
  if coalesce(undo_written.why, '') = '' then
    raise exception 'a reason is required' using errcode = '22023', hint = 'It stays on record, and names no person.';
  end if;
  if undo_written.since is null and undo_written.since_seq is null then
    raise exception 'since when is required' using errcode = '22004', hint = 'sync.written_by shows what would be taken back.';
  end if;
  from_seq := coalesce(since_seq, sync.written_from(node, since));
  insert into sec.audit (event, subject, detail)
  values ('WRITTEN_UNDONE', format('node %s, from its operation %s on', node, from_seq), undo_written.why);
  -- What cannot be read yet would be merged when it can be. Every node hears of it by the ban.
  update org.ban b set undone_seq = least(b.undone_seq, from_seq)
   where b.node_id = node and b.lifted_at is null and not b.deleted
     and from_seq <= b.last_seq and (b.undone_seq is null or b.undone_seq > from_seq);
  return query
    with found as materialized (
      select f.seq, f.table_name, f.key, f.column_name, f.value_written, f.value, f.outcome, f.detail
        from tpv.undo_written(node, from_seq) f
    ), noted as (
      -- A row that is deleted keeps its values.
      insert into sync.undone (at, node_id, seq, table_name, key, column_name, value_written, value, why)
      select moment, node, f.seq, f.table_name, f.key, f.column_name, f.value_written, f.value, undo_written.why
        from found f where f.outcome = 'restored' or (f.outcome = 'deleted' and f.column_name = '@exists')
    )
    , unread as (
      update sync.quarantine q
         set resolved_at = clock_timestamp(), detail = q.detail || format(' (taken back by %s: %s)', sec.actor(), undo_written.why)
       where q.node_id = node and q.seq >= from_seq and q.resolved_at is null
         and (q.code = 'ERASURE_LIMIT' or (q.code like 'OPERATION%' and q.refused is null))
      returning q.seq, q.kind, q.key, q.code
    )
    select t.* from (
      select f.seq, f.table_name, f.key, f.column_name, f.value_written, f.value, f.outcome, f.detail from found f
      union all
      select u.seq, u.kind, u.key, null, null, null, 'dismissed',
             case u.code when 'ERASURE_LIMIT' then 'it waited for a person, and erases nothing any more'
                         else format('it could not be read (%s), and is not merged any more', u.code) end
        from unread u) t (seq, table_name, key, column_name, value_written, value, outcome, detail)
     order by t.seq, t.table_name, t.key, t.column_name;
end $$;
COMMENT ON FUNCTION sync.undo_written(store text, since timestamp with time zone, why text, since_seq bigint) IS 'Takes back what a store wrote since a moment, at central: in each column where a value of it still stands, what it replaced stands again; a row that it made, and nobody else wrote, is deleted. What somebody wrote who had seen its value stays. Answers a row for each value, with its outcome: restored, deleted; or not undone: unknown (the value before has left the journal), erased, left (detail says why), refused by the table. What waited and could not be read is dismissed, and merged by no node any more. Can be repeated; sync.undone keeps what was done. since and since_seq are as for sync.written_by.';

-- unsubscribe_statement(text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.unsubscribe_statement(subscription text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  select format(
    'do $do$ begin if exists (select from pg_subscription where subname = %1$L) then '
    'perform sync.keep_password(%1$L); '
    'alter subscription %1$I disable; alter subscription %1$I set (slot_name = none); drop subscription %1$I; end if; end $do$', subscription)
$_$;
COMMENT ON FUNCTION sync.unsubscribe_statement(subscription text) IS 'The statement of a plan that drops a subscription. It does not touch the slot, which may be gone.';

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
    refused jsonb,
    tries integer DEFAULT 0 NOT NULL,
    try_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
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
COMMENT ON COLUMN sync.quarantine.tries IS 'How often it was tried again in vain.';
COMMENT ON COLUMN sync.quarantine.try_at IS 'When it is tried again, at the earliest. Pauses grow to a quarter of an hour.';

-- waiting(integer, boolean); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.waiting(most integer, only_due boolean) RETURNS SETOF bigint
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 WITH RECURSIVE node(node_id) AS (
          SELECT min(q.node_id) AS min
            FROM sync.quarantine q
           WHERE ((q.resolved_at IS NULL) AND (q.refused IS NULL))
         UNION ALL
          SELECT ( SELECT min(q.node_id) AS min
                    FROM sync.quarantine q
                   WHERE ((q.resolved_at IS NULL) AND (q.refused IS NULL) AND (q.node_id > n.node_id))) AS min
            FROM node n
           WHERE (n.node_id IS NOT NULL)
         ), share AS (
          SELECT n.node_id,
             t.quarantine_id,
             t.nth
            FROM (node n
              CROSS JOIN LATERAL ( SELECT q.quarantine_id,
                     row_number() OVER (ORDER BY q.try_at, q.quarantine_id) AS nth
                    FROM sync.quarantine q
                   WHERE ((q.node_id = n.node_id) AND (q.resolved_at IS NULL) AND (q.refused IS NULL) AND ((NOT waiting.only_due) OR (q.try_at <= clock_timestamp())))
                   ORDER BY q.try_at, q.quarantine_id
                  LIMIT waiting.most) t)
           WHERE (n.node_id IS NOT NULL)
         )
  SELECT s.quarantine_id
    FROM share s
   ORDER BY s.nth, s.node_id
  LIMIT waiting.most;
END;
COMMENT ON FUNCTION sync.waiting(most integer, only_due boolean) IS 'Rows of sync.quarantine that are tried next: of each node those that have waited longest, in turn.';

-- head; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.head (
    table_name text NOT NULL,
    key text NOT NULL,
    heads text NOT NULL,
    waits boolean NOT NULL,
    contested boolean DEFAULT false NOT NULL,
    lost_at timestamp with time zone
);
COMMENT ON TABLE sync.head IS 'The heads of each row: for each column the values that no later writer has seen. Usually there is one.';
COMMENT ON COLUMN sync.head.table_name IS 'The table.';
COMMENT ON COLUMN sync.head.key IS 'The key of the row.';
COMMENT ON COLUMN sync.head.heads IS 'JSON: column to [[node, seq, hlc, value], ...].';
COMMENT ON COLUMN sync.head.waits IS 'Whether the operation that created the row is still missing here. Until it arrives no row is written.';
COMMENT ON COLUMN sync.head.contested IS 'Whether a column has several heads. When its policy changes, one of them is chosen again.';
COMMENT ON COLUMN sync.head.lost_at IS 'When operations of this row were set aside, since their numbers had been given before a restore: what stands comes with the next snapshot. Null otherwise.';

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

-- weigh_own(integer, jsonb, bigint[], text, boolean); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.weigh_own(peer integer, said jsonb, reused bigint[], detail text, is_deeper boolean) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if detail is null then
    delete from sync.own_said s where s.node_id = weigh_own.peer;
    -- All that are peers have been heard since it was noticed.
    if exists (select from sync.restored r where r.ended_at is null
                  and not exists (select from sync.own_said)
                  and not exists (select from sync.head h where h.lost_at is not null)
                  and not exists (select from sync.accepted_snapshot a where a.ended_at is null)
                  and not exists (select from sync.peer p where coalesce(p.own_at < r.noticed_at, true))) then
      perform sync.end_restored('no store has anything of this node that is not here');
    end if;
    return;
  end if;
  insert into sync.own_said as s (node_id, at, last_seq, reused, detail)
  values (weigh_own.peer, clock_timestamp(), (said ->> 'last')::bigint, coalesce(weigh_own.reused, '{}'), weigh_own.detail)
  on conflict (node_id) do update
    set at = excluded.at, last_seq = excluded.last_seq, reused = excluded.reused, detail = excluded.detail;
  if is_deeper then
    update sync.restored r set stamps = least(r.stamps * 10, 100000) where r.ended_at is null;
  end if;
  if (select count(*) from sync.own_said) > 1 then
    perform sync.notice_restored(format('nodes %s say so, such as: %s',
      (select string_agg(s.node_id::text, ', ' order by s.node_id) from sync.own_said s), weigh_own.detail));
  elsif not exists (select from sec.audit a where a.event = 'RESTORED_SAID' and a.subject = format('node %s', weigh_own.peer)
                       and a.at > clock_timestamp() - interval '1 day') then
    -- One alone may lie. It alarms, and nothing changes.
    insert into sec.audit (event, subject, detail) values ('RESTORED_SAID', format('node %s', weigh_own.peer), weigh_own.detail);
  end if;
end $$;
COMMENT ON FUNCTION sync.weigh_own(peer integer, said jsonb, reused bigint[], detail text, is_deeper boolean) IS 'At central: what one store says of central''s own rows. Two that say the same kind of thing are believed. Callers use sync.receive_own.';

-- what_it_has(integer, bigint); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.what_it_has(peer integer, stamps bigint) RETURNS json
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  name text;
  followed record;
  verified sync.verified;
  chains jsonb := '{}';
begin
  if exists (select from org.node n where n.node_id = org.this_node() and n.kind = 'central') then
    for name in select c.chain from sync.chains_of(what_it_has.peer) c (chain) loop
      select * into verified from sync.verified v where v.node_id = what_it_has.peer and v.chain = name;
      select f.seq, f.hash into followed
        from tpv.follow_hash_chain(what_it_has.peer, name, coalesce(verified.chain_seq, 0),
                                   coalesce(verified.hash, decode(repeat('00', 32), 'hex')), 9223372036854775807) f;
      chains := chains || jsonb_build_object(name, jsonb_build_array(followed.seq, encode(followed.hash, 'hex') || coalesce(
        (select ' ' || d.hlc from wire.doc d where d.node_id = what_it_has.peer and d.chain = name and d.chain_seq = followed.seq), '')));
    end loop;
  end if;
  return json_build_object(
    'last', greatest((select max(o.seq) from wire.op o where o.node_id = what_it_has.peer),
                     (select h.seq from sync.horizon h where h.node_id = what_it_has.peer), 0),
    'stamps', (select coalesce(json_agg(json_build_array(s.seq, sync.mark(s)) order by s.seq), '[]')
                 from (select o.* from wire.op o where o.node_id = what_it_has.peer order by o.seq desc limit what_it_has.stamps) s
                -- One without its values, which was erased or is not believed, says nothing of them.
                where strpos(s.patch, '"@blank":true') = 0),
    'chains', chains);
end $$;
COMMENT ON FUNCTION sync.what_it_has(peer integer, stamps bigint) IS 'What this node has of a peer''s own rows: the last number of its operations, the stamps of the last ones, and how far its hash chains link here.';

-- with_password(text, text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.with_password(subscription text, conninfo text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select case when conninfo ~* '\m(password|passfile|sslcert)\s*=' then conninfo
              else concat_ws(' ', conninfo, coalesce(
                (select sync.password_in(s.subconninfo) from pg_subscription s
                  where s.subname = subscription and s.subdbid = (select d.oid from pg_database d where d.datname = current_database())),
                (select w.word from sync.peer_password w join sync.peer p on p.node_id = w.node_id
                  where p.subscription_name = subscription))) end
$$;
COMMENT ON FUNCTION sync.with_password(subscription text, conninfo text) IS 'A connection, with the password that the subscription has or had, unless it says itself how it logs in.';

-- withdraw_banned(text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.withdraw_banned(store text, OUT people integer, OUT left_over text) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '10s'
    AS $$
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
COMMENT ON FUNCTION sync.withdraw_banned(store text, OUT people integer, OUT left_over text) IS 'A step of sync.ban: withdraws what the store''s gateway could open. Returns how many people had a password there, and what is left to do, because somebody locks a row of it.';

-- written_by(text, timestamp with time zone, bigint); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.written_by(store text, since timestamp with time zone, since_seq bigint DEFAULT NULL::bigint) RETURNS TABLE(what text, seq bigint, written_at timestamp with time zone, table_name text, key text, column_name text, value_before jsonb, value_written jsonb, value_now jsonb, state text, undo text, detail text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
#variable_conflict use_column
declare
  node integer := sync.store_number(store);
begin
  if written_by.since is null and written_by.since_seq is null then
    raise exception 'since when is required' using errcode = '22004', hint = 'Give a moment, or the number of an operation.';
  end if;
  return query
    select * from (
      select 'operation' as what, w.seq, tpv.hlc_time(w.hlc), w.table_name, w.key, w.column_name, w.value_before, w.value_written,
             w.value_now, w.state, w.undo, w.detail
        from tpv.written_by(node, coalesce(since_seq, sync.written_from(node, since))) w
      union all
      select 'document', d.chain_seq, tpv.hlc_time(d.hlc), 'wire.doc', d.doc_id::text, d.kind, null, null, null, 'fact', null,
             case d.chain when '' then 'in the hash chain of the node' else format('in hash chain %s', d.chain) end
        from sync.documents_written(node, since) d) t
     order by t.what desc, case when t.what = 'document' then t.detail end, t.seq, t.table_name, t.key, t.column_name;
end $$;
COMMENT ON FUNCTION sync.written_by(store text, since timestamp with time zone, since_seq bigint) IS 'What a store may have written since a moment, as far as it came here: each value that an operation of it wrote, what it replaced, what is there now, whether it still stands (state), and what sync.undo_written would make of it (undo); and each of its documents, which are facts and stay. The moment is one of central''s clock (sync.arrival): the clock of a stolen machine says what its thief likes. since_seq is the number of the first operation, for who knows better.';

-- written_from(integer, timestamp with time zone); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.written_from(node integer, since timestamp with time zone) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT COALESCE(( SELECT (a.seq + 1)
            FROM sync.arrival a
           WHERE ((a.node_id = written_from.node) AND (a.what = 'operations'::text) AND (a.at <= written_from.since))
           ORDER BY a.at DESC
          LIMIT 1), (1)::bigint) AS "coalesce";
END;
COMMENT ON FUNCTION sync.written_from(node integer, since timestamp with time zone) IS 'The first operation of a store that was not here at a moment, by central''s clock (sync.arrival): all from it on may have been written after that moment, whatever their stamps say. Where nothing of that moment or before was noted, all may be: from 1 on.';

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
  -- Not the months of what is in the default partition: a store may write any business date.
  foreach month in array array(
    select m::date from generate_series(-13, 3) as k (n), date_trunc('month', now() + make_interval(months => n)) as m
    order by 1)
  loop
    made := made + wire.add_partition(month)::integer;
  end loop;
  return made;
end $$;
COMMENT ON FUNCTION wire.maintain_partitions() IS 'Keeps partitions of wire.doc from 13 months back to 3 months ahead, and moves what is of one of these months there from the default partition. Returns how many it made. pg_cron calls it each night.';

-- verify_chains(); Type: FUNCTION; Schema: wire; Owner: tpv_owner
CREATE FUNCTION wire.verify_chains() RETURNS TABLE(node_id integer, chain text, documents bigint, head_seq bigint, intact boolean, broken_seq bigint, broken_doc uuid, reason text)
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$ select * from tpv.verify_chains() $$;
COMMENT ON FUNCTION wire.verify_chains() IS 'Checks every document and every hash chain: one row for each chain, with the first broken link and why, if there is one.';

-- analyst_login; Type: VIEW; Schema: bi; Owner: tpv_owner
CREATE VIEW bi.analyst_login AS
 SELECT (r.rolname)::text AS login,
    l.statement_timeout,
    l.idle_in_transaction_session_timeout,
    l.lock_timeout,
    r.rolconnlimit AS connection_limit,
    COALESCE(((l.statement_timeout !~ '^0'::text) AND (l.idle_in_transaction_session_timeout !~ '^0'::text)), false) AS is_limited
   FROM (pg_roles r
     CROSS JOIN LATERAL ( SELECT max(x.value) FILTER (WHERE (x.name = 'statement_timeout'::text)) AS statement_timeout,
            max(x.value) FILTER (WHERE (x.name = 'idle_in_transaction_session_timeout'::text)) AS idle_in_transaction_session_timeout,
            max(x.value) FILTER (WHERE (x.name = 'lock_timeout'::text)) AS lock_timeout
           FROM ( SELECT DISTINCT ON ((split_part(c.setting, '='::text, 1))) split_part(c.setting, '='::text, 1) AS name,
                    substr(c.setting, (strpos(c.setting, '='::text) + 1)) AS value
                   FROM (pg_db_role_setting d
                     CROSS JOIN LATERAL unnest(d.setconfig) c(setting))
                  WHERE ((d.setrole = ANY (ARRAY[r.oid, (0)::oid])) AND (d.setdatabase = ANY (ARRAY[(0)::oid, ( SELECT b.oid
                           FROM pg_database b
                          WHERE (b.datname = current_database()))])))
                  ORDER BY (split_part(c.setting, '='::text, 1)), (d.setrole = (0)::oid), (d.setdatabase = (0)::oid)) x) l)
  WHERE (r.rolcanlogin AND (NOT r.rolsuper) AND pg_has_role(r.oid, 'tpv_analyst'::name, 'usage'::text));
COMMENT ON VIEW bi.analyst_login IS 'Logins that read as analysts, and their time limits. Grain: a login. A login without limits can keep a query open for ever, which holds back vacuum for everybody: docs/analyst.md says how to set them.';
COMMENT ON COLUMN bi.analyst_login.login IS 'Name of the login.';
COMMENT ON COLUMN bi.analyst_login.statement_timeout IS 'How long one of its statements may run; null when nothing limits it.';
COMMENT ON COLUMN bi.analyst_login.idle_in_transaction_session_timeout IS 'How long it may do nothing inside a transaction; null when nothing limits it.';
COMMENT ON COLUMN bi.analyst_login.lock_timeout IS 'How long it may wait for a lock; null when nothing limits it.';
COMMENT ON COLUMN bi.analyst_login.connection_limit IS 'How many connections it may have at a time; -1 for any number.';
COMMENT ON COLUMN bi.analyst_login.is_limited IS 'Whether both its statements and its idle transactions end by themselves.';

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
    code text NOT NULL,
    name text NOT NULL,
    timezone text NOT NULL,
    cutoff_hour smallint NOT NULL,
    currency text NOT NULL,
    legal_entity_id uuid,
    gateway_url text,
    deleted boolean DEFAULT false NOT NULL,
    CONSTRAINT store_code_check CHECK ((code ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,15}$'::text)),
    CONSTRAINT store_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT store_cutoff_hour_check CHECK (((cutoff_hour >= 0) AND (cutoff_hour <= 23))),
    CONSTRAINT store_gateway_url_check CHECK ((gateway_url ~ '^https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[^[:space:]@]*)?$'::text))
);
COMMENT ON TABLE org.store IS 'Stores. Each has a node of its own.';
COMMENT ON COLUMN org.store.store_id IS 'Key, generated where the store was registered.';
COMMENT ON COLUMN org.store.node_id IS 'The store''s node.';
COMMENT ON COLUMN org.store.code IS 'Short code that is printed for people, such as S01. The node''s code, if none was given.';
COMMENT ON COLUMN org.store.name IS 'Name for people.';
COMMENT ON COLUMN org.store.timezone IS 'IANA time zone of the store''s clocks, such as Europe/Madrid.';
COMMENT ON COLUMN org.store.cutoff_hour IS 'Sales before this local hour belong to the business date before.';
COMMENT ON COLUMN org.store.currency IS 'ISO 4217 code of every amount of this store.';
COMMENT ON COLUMN org.store.legal_entity_id IS 'Whoever runs the store.';
COMMENT ON COLUMN org.store.gateway_url IS 'Where the gateway of its node answers, as http://host:port or https://host:port; null when it has none.';
COMMENT ON COLUMN org.store.deleted IS 'Whether it was deleted. Then it receives no files; what it recorded keeps its dates.';

-- store; Type: VIEW; Schema: bi; Owner: tpv_owner
CREATE VIEW bi.store AS
 SELECT DISTINCT ON (s.node_id) s.node_id,
    s.code AS store,
    s.name,
    s.timezone,
    s.cutoff_hour,
    s.currency,
    l.name AS legal_entity,
    (NOT s.deleted) AS is_open,
    ((EXISTS ( SELECT
           FROM sync.this_node t
          WHERE (t.node_id = s.node_id))) OR (EXISTS ( SELECT
           FROM sync.peer p
          WHERE (p.node_id = s.node_id)))) AS is_here
   FROM (org.store s
     LEFT JOIN org.legal_entity l ON ((l.legal_entity_id = s.legal_entity_id)))
  ORDER BY s.node_id, s.deleted, s.store_id DESC;
COMMENT ON VIEW bi.store IS 'Dimension: stores. Grain: a store. Closed ones are here too, since they have sales.';
COMMENT ON COLUMN bi.store.node_id IS 'Number of the store''s node: join views by it. A store code may be used for another store later, this number never is.';
COMMENT ON COLUMN bi.store.store IS 'Code of the store, such as S01.';
COMMENT ON COLUMN bi.store.name IS 'Name for people.';
COMMENT ON COLUMN bi.store.timezone IS 'IANA time zone of the store''s clocks.';
COMMENT ON COLUMN bi.store.cutoff_hour IS 'Sales before this hour of the store''s wall clock belong to the business day before.';
COMMENT ON COLUMN bi.store.currency IS 'ISO 4217 code of all amounts of the store.';
COMMENT ON COLUMN bi.store.legal_entity IS 'Registered name of whoever runs the store; null when it is not said.';
COMMENT ON COLUMN bi.store.is_open IS 'Whether the store is registered. A closed one receives no receipts.';
COMMENT ON COLUMN bi.store.is_here IS 'Whether its receipts come to this database: of a store''s database its own, of central''s those of the stores that have joined.';

-- until; Type: TABLE; Schema: rollup; Owner: tpv_owner
CREATE TABLE rollup.until (
    node_id integer NOT NULL,
    complete_until timestamp with time zone,
    next_until timestamp with time zone,
    next_round bigint
);
COMMENT ON TABLE rollup.until IS 'Up to when the roll-ups have all that a store recorded.';
COMMENT ON COLUMN rollup.until.node_id IS 'The store''s node.';
COMMENT ON COLUMN rollup.until.complete_until IS 'Whatever the store recorded before this is in the roll-ups. Null: not known yet.';
COMMENT ON COLUMN rollup.until.next_until IS 'What complete_until becomes once the buckets of that round are summed up.';
COMMENT ON COLUMN rollup.until.next_round IS 'That round.';

-- chain_freshness; Type: VIEW; Schema: bi; Owner: tpv_owner
CREATE VIEW bi.chain_freshness AS
 SELECT (count(*))::integer AS stores,
    (count(u.complete_until))::integer AS stores_known,
        CASE
            WHEN (count(*) = count(u.complete_until)) THEN min(u.complete_until)
            ELSE NULL::timestamp with time zone
        END AS complete_until
   FROM (bi.store s
     LEFT JOIN rollup.until u ON ((u.node_id = s.node_id)))
  WHERE (s.is_here AND s.is_open);
COMMENT ON VIEW bi.chain_freshness IS 'How complete the figures of all stores are together. Grain: one row. Stores that have not joined are not counted.';
COMMENT ON COLUMN bi.chain_freshness.stores IS 'Open stores whose receipts come to this database.';
COMMENT ON COLUMN bi.chain_freshness.stores_known IS 'Those of which it is known up to when they are complete.';
COMMENT ON COLUMN bi.chain_freshness.complete_until IS 'The least over these stores: whatever any of them recorded before this is in the figures. Null while one is not known.';

-- sales_hour; Type: TABLE; Schema: rollup; Owner: tpv_owner
CREATE TABLE rollup.sales_hour (
    node_id integer NOT NULL,
    business_date date NOT NULL,
    department text NOT NULL,
    hour smallint NOT NULL,
    tickets integer NOT NULL,
    voided integer NOT NULL,
    lines integer NOT NULL,
    units bigint NOT NULL,
    gross numeric(20,2) NOT NULL,
    net numeric(20,2) NOT NULL,
    tax numeric(20,2) NOT NULL,
    guessed_tax numeric(20,2) NOT NULL,
    without_rate numeric(20,2) NOT NULL
);
COMMENT ON TABLE rollup.sales_hour IS 'Sales by hour and department. gross = net + tax + without_rate.';
COMMENT ON COLUMN rollup.sales_hour.node_id IS 'The store''s node.';
COMMENT ON COLUMN rollup.sales_hour.business_date IS 'The business day.';
COMMENT ON COLUMN rollup.sales_hour.department IS 'The department.';
COMMENT ON COLUMN rollup.sales_hour.hour IS 'Hour of the store''s wall clock when it was printed, 0 to 23.';
COMMENT ON COLUMN rollup.sales_hour.tickets IS 'Receipts that count: accepted and released.';
COMMENT ON COLUMN rollup.sales_hour.voided IS 'Receipts that are voided, with the tickets that undid others. They count in no other column.';
COMMENT ON COLUMN rollup.sales_hour.lines IS 'Lines of receipts that count.';
COMMENT ON COLUMN rollup.sales_hour.units IS 'Pieces; a line with a broken quantity (weighed) is one. What was taken back counts below zero.';
COMMENT ON COLUMN rollup.sales_hour.gross IS 'Sum of the lines, with tax.';
COMMENT ON COLUMN rollup.sales_hour.net IS 'Without tax: for each receipt and tax rate the sum of its lines * 100 / (100 + rate), rounded half away from zero to cents.';
COMMENT ON COLUMN rollup.sales_hour.tax IS 'The tax in it.';
COMMENT ON COLUMN rollup.sales_hour.guessed_tax IS 'The part of tax whose rate the receipts do not say, so that the catalog was asked.';
COMMENT ON COLUMN rollup.sales_hour.without_rate IS 'Sum of the lines, with tax, whose rate nobody says. No part of net and tax.';

-- sales_by_day; Type: VIEW; Schema: bi; Owner: tpv_owner
CREATE VIEW bi.sales_by_day AS
 SELECT h.node_id,
    s.store,
    h.business_date,
    h.tickets,
    h.voided,
    h.lines,
    h.units,
    h.gross,
    h.net,
    h.tax,
    h.guessed_tax,
    h.without_rate,
    round((h.gross / (NULLIF(h.tickets, 0))::numeric), 2) AS average_ticket,
    round(((h.units)::numeric / (NULLIF(h.tickets, 0))::numeric), 2) AS units_per_ticket,
    s.currency,
    (EXISTS ( SELECT
           FROM sales.day_close c
          WHERE ((c.node_id = h.node_id) AND (c.business_date = h.business_date)))) AS is_closed,
    COALESCE((u.complete_until >= (((h.business_date + 1) + make_interval(hours => (s.cutoff_hour)::integer)) AT TIME ZONE s.timezone)), false) AS is_complete,
    u.complete_until
   FROM ((( SELECT h_1.node_id,
            h_1.business_date,
            sum(h_1.tickets) AS tickets,
            sum(h_1.voided) AS voided,
            sum(h_1.lines) AS lines,
            (sum(h_1.units))::bigint AS units,
            sum(h_1.gross) AS gross,
            sum(h_1.net) AS net,
            sum(h_1.tax) AS tax,
            sum(h_1.guessed_tax) AS guessed_tax,
            sum(h_1.without_rate) AS without_rate
           FROM rollup.sales_hour h_1
          GROUP BY h_1.node_id, h_1.business_date) h
     JOIN bi.store s ON ((s.node_id = h.node_id)))
     LEFT JOIN rollup.until u ON ((u.node_id = h.node_id)));
COMMENT ON VIEW bi.sales_by_day IS 'Sales by store and day. Grain: a store and a business day. Held and voided receipts are in no amount. A day without receipts has no row.';
COMMENT ON COLUMN bi.sales_by_day.node_id IS 'Number of the store''s node: join views by it. A store code may be used for another store later, this number never is.';
COMMENT ON COLUMN bi.sales_by_day.store IS 'Code of the store, such as S01.';
COMMENT ON COLUMN bi.sales_by_day.business_date IS 'The business day, by the date on which it begins. It ends at the cut-off hour of the store on the next date.';
COMMENT ON COLUMN bi.sales_by_day.tickets IS 'Department tickets that count as sales: receipts that are accepted or released. A customer of three departments has three. Whether they were paid at a till is not known.';
COMMENT ON COLUMN bi.sales_by_day.voided IS 'Receipts that are voided, with the tickets that undid others. They are in no amount.';
COMMENT ON COLUMN bi.sales_by_day.lines IS 'Lines of receipts that count.';
COMMENT ON COLUMN bi.sales_by_day.units IS 'Pieces; a weighed line is one. What was taken back counts below zero.';
COMMENT ON COLUMN bi.sales_by_day.gross IS 'Amount with tax: the sum of the lines. gross = net + tax + without_rate.';
COMMENT ON COLUMN bi.sales_by_day.net IS 'Amount without tax, of lines whose rate is printed or said by the catalog; the others are in without_rate. Rounded for each receipt and rate, half away from zero to cents.';
COMMENT ON COLUMN bi.sales_by_day.tax IS 'Tax in the amount.';
COMMENT ON COLUMN bi.sales_by_day.guessed_tax IS 'The part of tax that is guessed: the receipts do not say its rate, and the catalog does (tax_source product or department).';
COMMENT ON COLUMN bi.sales_by_day.without_rate IS 'Amount with tax of lines whose tax rate nobody says. It is in gross, and no part of net and tax.';
COMMENT ON COLUMN bi.sales_by_day.average_ticket IS 'gross / tickets, rounded to cents; null without tickets. Over several rows divide the sums instead.';
COMMENT ON COLUMN bi.sales_by_day.units_per_ticket IS 'units / tickets, rounded to two decimals; null without tickets. Over several rows divide the sums instead.';
COMMENT ON COLUMN bi.sales_by_day.currency IS 'ISO 4217 code of all amounts of the row. Never add amounts of two currencies.';
COMMENT ON COLUMN bi.sales_by_day.is_closed IS 'Whether the store has closed the day. Receipts that come later still count, and are late.';
COMMENT ON COLUMN bi.sales_by_day.is_complete IS 'Whether complete_until is past the end of the day: no receipt is missing that reached the store''s database in time. false also when complete_until is not known.';
COMMENT ON COLUMN bi.sales_by_day.complete_until IS 'Every receipt that reached the store''s database before this is in the figures. A ticket that was printed and whose file had not come by then is not. Null: not known yet. Over several stores take bi.chain_freshness, since min() leaves out nulls.';

-- chain_sales_by_day; Type: VIEW; Schema: bi; Owner: tpv_owner
CREATE VIEW bi.chain_sales_by_day AS
 SELECT h.business_date,
    h.currency,
    (count(*))::integer AS stores,
    (sum(h.tickets))::bigint AS tickets,
    (sum(h.voided))::bigint AS voided,
    (sum(h.lines))::bigint AS lines,
    (sum(h.units))::bigint AS units,
    sum(h.gross) AS gross,
    sum(h.net) AS net,
    sum(h.tax) AS tax,
    sum(h.guessed_tax) AS guessed_tax,
    sum(h.without_rate) AS without_rate,
    round((sum(h.gross) / NULLIF(sum(h.tickets), (0)::numeric)), 2) AS average_ticket,
    round((sum(h.units) / NULLIF(sum(h.tickets), (0)::numeric)), 2) AS units_per_ticket,
    ( SELECT f.complete_until
           FROM bi.chain_freshness f) AS complete_until
   FROM bi.sales_by_day h
  GROUP BY h.business_date, h.currency;
COMMENT ON VIEW bi.chain_sales_by_day IS 'Sales of all stores in this database. Grain: a business day and a currency. Held and voided receipts are in no amount.';
COMMENT ON COLUMN bi.chain_sales_by_day.business_date IS 'The business day, by the date on which it begins. It ends at the cut-off hour of the store on the next date.';
COMMENT ON COLUMN bi.chain_sales_by_day.currency IS 'ISO 4217 code of all amounts of the row. Never add amounts of two currencies.';
COMMENT ON COLUMN bi.chain_sales_by_day.stores IS 'Stores with receipts of that day. Compare it with bi.chain_freshness.stores.';
COMMENT ON COLUMN bi.chain_sales_by_day.tickets IS 'Department tickets that count as sales: receipts that are accepted or released. A customer of three departments has three. Whether they were paid at a till is not known.';
COMMENT ON COLUMN bi.chain_sales_by_day.voided IS 'Receipts that are voided, with the tickets that undid others. They are in no amount.';
COMMENT ON COLUMN bi.chain_sales_by_day.lines IS 'Lines of receipts that count.';
COMMENT ON COLUMN bi.chain_sales_by_day.units IS 'Pieces; a weighed line is one. What was taken back counts below zero.';
COMMENT ON COLUMN bi.chain_sales_by_day.gross IS 'Amount with tax: the sum of the lines. gross = net + tax + without_rate.';
COMMENT ON COLUMN bi.chain_sales_by_day.net IS 'Amount without tax, of lines whose rate is printed or said by the catalog; the others are in without_rate. Rounded for each receipt and rate, half away from zero to cents.';
COMMENT ON COLUMN bi.chain_sales_by_day.tax IS 'Tax in the amount.';
COMMENT ON COLUMN bi.chain_sales_by_day.guessed_tax IS 'The part of tax that is guessed: the receipts do not say its rate, and the catalog does (tax_source product or department).';
COMMENT ON COLUMN bi.chain_sales_by_day.without_rate IS 'Amount with tax of lines whose tax rate nobody says. It is in gross, and no part of net and tax.';
COMMENT ON COLUMN bi.chain_sales_by_day.average_ticket IS 'gross / tickets, rounded to cents; null without tickets. Over several rows divide the sums instead.';
COMMENT ON COLUMN bi.chain_sales_by_day.units_per_ticket IS 'units / tickets, rounded to two decimals; null without tickets. Over several rows divide the sums instead.';
COMMENT ON COLUMN bi.chain_sales_by_day.complete_until IS 'The least over all open stores, also those without receipts of that day: whatever any of them recorded before this is in the figures. Null while one is not known.';

-- tax; Type: TABLE; Schema: catalog; Owner: tpv_owner
CREATE TABLE catalog.tax (
    tax_id uuid DEFAULT tpv.uuid7() NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    deleted boolean DEFAULT false NOT NULL
);
COMMENT ON TABLE catalog.tax IS 'Taxes. Their rates are in catalog.tax_rate.';
COMMENT ON COLUMN catalog.tax.tax_id IS 'Key.';
COMMENT ON COLUMN catalog.tax.code IS 'Short name.';
COMMENT ON COLUMN catalog.tax.name IS 'Name for people.';
COMMENT ON COLUMN catalog.tax.deleted IS 'Whether it was deleted. Its code can be given again. Rows are never removed.';

-- department; Type: TABLE; Schema: org; Owner: tpv_owner
CREATE TABLE org.department (
    department_id uuid DEFAULT tpv.uuid7() NOT NULL,
    node_id integer NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    legal_entity_id uuid,
    tax_id uuid,
    deleted boolean DEFAULT false NOT NULL,
    CONSTRAINT department_code_check CHECK ((code ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,15}$'::text))
);
COMMENT ON TABLE org.department IS 'Departments of a store; many are leased to a concessionaire.';
COMMENT ON COLUMN org.department.department_id IS 'Key, generated where the department was registered.';
COMMENT ON COLUMN org.department.node_id IS 'The store''s node.';
COMMENT ON COLUMN org.department.code IS 'Code that its receipts carry in departmentCode.';
COMMENT ON COLUMN org.department.name IS 'Name for people.';
COMMENT ON COLUMN org.department.legal_entity_id IS 'The concessionaire; null for a department that the store runs itself.';
COMMENT ON COLUMN org.department.tax_id IS 'The tax of what is sold there, where neither the receipt nor the product says one.';
COMMENT ON COLUMN org.department.deleted IS 'Whether it was deleted. Its code can be given again. Rows are never removed.';

-- department; Type: VIEW; Schema: bi; Owner: tpv_owner
CREATE VIEW bi.department AS
 SELECT DISTINCT ON (d.node_id, d.code) d.node_id,
    s.store,
    d.code AS department,
    d.name,
    d.legal_entity_id AS concessionaire_id,
    l.name AS concessionaire,
    t.code AS tax_code,
    (NOT d.deleted) AS is_open
   FROM (((org.department d
     JOIN bi.store s ON ((s.node_id = d.node_id)))
     LEFT JOIN org.legal_entity l ON ((l.legal_entity_id = d.legal_entity_id)))
     LEFT JOIN catalog.tax t ON ((t.tax_id = d.tax_id)))
  ORDER BY d.node_id, d.code, d.deleted, d.department_id DESC;
COMMENT ON VIEW bi.department IS 'Dimension: departments of stores. Grain: a store and a department. Where a code was given again, it is the department that has it now.';
COMMENT ON COLUMN bi.department.node_id IS 'Number of the store''s node: join views by it. A store code may be used for another store later, this number never is.';
COMMENT ON COLUMN bi.department.store IS 'Code of the store, such as S01.';
COMMENT ON COLUMN bi.department.department IS 'Code of the department.';
COMMENT ON COLUMN bi.department.name IS 'Name for people.';
COMMENT ON COLUMN bi.department.concessionaire_id IS 'Key of the concessionaire; null for a department that the store runs itself.';
COMMENT ON COLUMN bi.department.concessionaire IS 'Registered name of the concessionaire; null for a department that the store runs itself.';
COMMENT ON COLUMN bi.department.tax_code IS 'Tax of what is sold there, where neither receipt nor product says one.';
COMMENT ON COLUMN bi.department.is_open IS 'Whether the department is registered.';

-- concessionaire; Type: VIEW; Schema: bi; Owner: tpv_owner
CREATE VIEW bi.concessionaire AS
 SELECT d.concessionaire_id,
    d.concessionaire,
    e.tax_id AS tax_number,
    d.node_id,
    d.store,
    d.department,
    g.lease_from,
    g.lease_to,
    d.is_open
   FROM ((bi.department d
     JOIN org.legal_entity e ON ((e.legal_entity_id = d.concessionaire_id)))
     LEFT JOIN LATERAL ( SELECT min(g_1.valid_from) AS lease_from,
                CASE
                    WHEN bool_and((g_1.valid_to IS NOT NULL)) THEN max(g_1.valid_to)
                    ELSE NULL::date
                END AS lease_to
           FROM sec.role_grant g_1
          WHERE ((g_1.role = 'concessionaire'::text) AND (g_1.node_id = d.node_id) AND (g_1.department_code = d.department) AND (NOT g_1.deleted))) g ON (true));
COMMENT ON VIEW bi.concessionaire IS 'Dimension: who leases which department now. Grain: a store and a department that is leased. Departments that the store runs itself are not here, and neither are earlier lessees: contracts are not recorded yet.';
COMMENT ON COLUMN bi.concessionaire.concessionaire_id IS 'Key of the concessionaire; null for a department that the store runs itself.';
COMMENT ON COLUMN bi.concessionaire.concessionaire IS 'Registered name of the concessionaire; null for a department that the store runs itself.';
COMMENT ON COLUMN bi.concessionaire.tax_number IS 'Tax number of the concessionaire; null when it is not known.';
COMMENT ON COLUMN bi.concessionaire.node_id IS 'Number of the store''s node: join views by it. A store code may be used for another store later, this number never is.';
COMMENT ON COLUMN bi.concessionaire.store IS 'Code of the store, such as S01.';
COMMENT ON COLUMN bi.concessionaire.department IS 'Code of the department.';
COMMENT ON COLUMN bi.concessionaire.lease_from IS 'The first business day that somebody was given as a concessionaire there; null when nobody was.';
COMMENT ON COLUMN bi.concessionaire.lease_to IS 'The last such day; null when it has no end or nobody was.';
COMMENT ON COLUMN bi.concessionaire.is_open IS 'Whether the department is registered.';

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

-- conflict; Type: VIEW; Schema: bi; Owner: tpv_owner
CREATE VIEW bi.conflict WITH (security_barrier='true') AS
 SELECT c.table_name,
    c.key,
    c.column_name,
    c.node_id,
    n.node_code AS node,
    to_timestamp(((((c.hlc >> 16))::numeric / 1000.0))::double precision) AS written_at,
        CASE
            WHEN ((c.table_name ~ '^catalog\.'::text) OR (c.table_name = ANY (ARRAY['org.department'::text, 'org.legal_entity'::text, 'org.store'::text, 'org.terminal'::text]))) THEN c.value
            ELSE NULL::jsonb
        END AS value,
    c.chosen AS is_shown,
    c.review AS needs_review,
    c.found_at
   FROM (sync.sibling c
     LEFT JOIN org.node n ON ((n.node_id = c.node_id)))
  WHERE (c.table_name !~ '^sec\.'::text);
COMMENT ON VIEW bi.conflict IS 'Open conflicts: values of one column of one row that were written at the same time. Grain: a value. All values of a conflict have the same table_name, key and column_name. Values of customers and employees are not shown, and rows about who may what are not here.';
COMMENT ON COLUMN bi.conflict.table_name IS 'The table.';
COMMENT ON COLUMN bi.conflict.key IS 'The key of the row.';
COMMENT ON COLUMN bi.conflict.column_name IS 'The column, or the group of columns.';
COMMENT ON COLUMN bi.conflict.node_id IS 'Number of the node that wrote the value.';
COMMENT ON COLUMN bi.conflict.node IS 'Code of that node; null when it is not known here.';
COMMENT ON COLUMN bi.conflict.written_at IS 'When it was written, by that node''s clock.';
COMMENT ON COLUMN bi.conflict.value IS 'The value, of tables of the catalog and of places; else null.';
COMMENT ON COLUMN bi.conflict.is_shown IS 'Whether the row has this value for now.';
COMMENT ON COLUMN bi.conflict.needs_review IS 'Whether a person should look at it.';
COMMENT ON COLUMN bi.conflict.found_at IS 'When this database noticed.';

-- bucket; Type: TABLE; Schema: rollup; Owner: tpv_owner
CREATE TABLE rollup.bucket (
    node_id integer NOT NULL,
    business_date date NOT NULL,
    department text NOT NULL,
    receipts integer NOT NULL,
    lines integer NOT NULL,
    guessed_lines integer NOT NULL,
    is_closed boolean NOT NULL,
    computed_at timestamp with time zone NOT NULL
);
COMMENT ON TABLE rollup.bucket IS 'The buckets that are summed up: a store''s business day and department.';
COMMENT ON COLUMN rollup.bucket.node_id IS 'The store''s node.';
COMMENT ON COLUMN rollup.bucket.business_date IS 'The business day.';
COMMENT ON COLUMN rollup.bucket.department IS 'The department.';
COMMENT ON COLUMN rollup.bucket.receipts IS 'Receipts in all states.';
COMMENT ON COLUMN rollup.bucket.lines IS 'Their lines.';
COMMENT ON COLUMN rollup.bucket.guessed_lines IS 'Lines that say no tax rate, so that the catalog was asked.';
COMMENT ON COLUMN rollup.bucket.is_closed IS 'Whether the day was closed when this was summed up.';
COMMENT ON COLUMN rollup.bucket.computed_at IS 'When it was summed up last.';

-- date; Type: VIEW; Schema: bi; Owner: tpv_owner
CREATE VIEW bi.date AS
 SELECT (d.day)::date AS business_date,
    (EXTRACT(year FROM d.day))::integer AS year,
    (EXTRACT(quarter FROM d.day))::integer AS quarter,
    (EXTRACT(month FROM d.day))::integer AS month,
    to_char(d.day, 'YYYY-MM'::text) AS year_month,
    (EXTRACT(isoyear FROM d.day))::integer AS iso_year,
    (EXTRACT(week FROM d.day))::integer AS iso_week,
    to_char(d.day, 'IYYY"-W"IW'::text) AS iso_year_week,
    (EXTRACT(isodow FROM d.day))::integer AS weekday,
    to_char(d.day, 'FMDay'::text) AS weekday_name,
    (EXTRACT(isodow FROM d.day) > (5)::numeric) AS is_weekend
   FROM (( SELECT date_trunc('year'::text, (min(b.business_date))::timestamp without time zone) AS first_day,
            (date_trunc('year'::text, (max(b.business_date))::timestamp without time zone) + '1 year -1 days'::interval) AS last_day
           FROM rollup.bucket b) r
     CROSS JOIN LATERAL generate_series(r.first_day, r.last_day, '1 day'::interval) d(day));
COMMENT ON VIEW bi.date IS 'Dimension: the calendar. Grain: a day. Whole years, from the first business day with a receipt to the last; empty before the first receipt. Days without sales are here too.';
COMMENT ON COLUMN bi.date.business_date IS 'The business day, by the date on which it begins. It ends at the cut-off hour of the store on the next date.';
COMMENT ON COLUMN bi.date.year IS 'Calendar year.';
COMMENT ON COLUMN bi.date.quarter IS 'Quarter of the calendar year, 1 to 4.';
COMMENT ON COLUMN bi.date.month IS 'Month, 1 to 12.';
COMMENT ON COLUMN bi.date.year_month IS 'Year and month, 2026-06.';
COMMENT ON COLUMN bi.date.iso_year IS 'Year of the ISO 8601 week. The first days of January may belong to the year before.';
COMMENT ON COLUMN bi.date.iso_week IS 'ISO 8601 week, 1 to 53. It begins on Monday. Use it together with iso_year.';
COMMENT ON COLUMN bi.date.iso_year_week IS 'ISO year and week, 2026-W27.';
COMMENT ON COLUMN bi.date.weekday IS 'Day of the week, 1 for Monday to 7 for Sunday.';
COMMENT ON COLUMN bi.date.weekday_name IS 'Its name in English.';
COMMENT ON COLUMN bi.date.is_weekend IS 'Whether it is Saturday or Sunday.';

-- restated; Type: TABLE; Schema: rollup; Owner: tpv_owner
CREATE TABLE rollup.restated (
    restated_id bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    node_id integer NOT NULL,
    business_date date NOT NULL,
    department text NOT NULL,
    tickets_before integer NOT NULL,
    tickets_after integer NOT NULL,
    gross_before numeric(20,2) NOT NULL,
    gross_after numeric(20,2) NOT NULL,
    why text NOT NULL
);
COMMENT ON TABLE rollup.restated IS 'Changes of a day''s sums after it was closed. Local: what this node had shown before.';
COMMENT ON COLUMN rollup.restated.restated_id IS 'Key.';
COMMENT ON COLUMN rollup.restated.at IS 'When the sums changed.';
COMMENT ON COLUMN rollup.restated.node_id IS 'The store''s node.';
COMMENT ON COLUMN rollup.restated.business_date IS 'The business day.';
COMMENT ON COLUMN rollup.restated.department IS 'The department.';
COMMENT ON COLUMN rollup.restated.tickets_before IS 'Receipts that counted before.';
COMMENT ON COLUMN rollup.restated.tickets_after IS 'Receipts that count now.';
COMMENT ON COLUMN rollup.restated.gross_before IS 'Their sum before, with tax.';
COMMENT ON COLUMN rollup.restated.gross_after IS 'Their sum now.';
COMMENT ON COLUMN rollup.restated.why IS 'How many receipts came, were voided, released or held, or left; else that lines or tax rates changed.';

-- day_status; Type: VIEW; Schema: bi; Owner: tpv_owner
CREATE VIEW bi.day_status AS
 SELECT b.node_id,
    s.store,
    b.business_date,
    b.receipts,
    b.lines,
    b.guessed_lines,
    (c.closed_at IS NOT NULL) AS is_closed,
    c.closed_at,
    COALESCE((u.complete_until >= (((b.business_date + 1) + make_interval(hours => (s.cutoff_hour)::integer)) AT TIME ZONE s.timezone)), false) AS is_complete,
    (( SELECT count(*) AS count
           FROM rollup.restated r
          WHERE ((r.node_id = b.node_id) AND (r.business_date = b.business_date))))::integer AS restatements,
    b.summed_up_at,
    u.complete_until
   FROM (((( SELECT b_1.node_id,
            b_1.business_date,
            sum(b_1.receipts) AS receipts,
            sum(b_1.lines) AS lines,
            sum(b_1.guessed_lines) AS guessed_lines,
            max(b_1.computed_at) AS summed_up_at
           FROM rollup.bucket b_1
          GROUP BY b_1.node_id, b_1.business_date) b
     JOIN bi.store s ON ((s.node_id = b.node_id)))
     LEFT JOIN sales.day_close c ON (((c.node_id = b.node_id) AND (c.business_date = b.business_date))))
     LEFT JOIN rollup.until u ON ((u.node_id = b.node_id)));
COMMENT ON VIEW bi.day_status IS 'How far a day is settled. Grain: a store and a business day. Days without receipts are not here.';
COMMENT ON COLUMN bi.day_status.node_id IS 'Number of the store''s node: join views by it. A store code may be used for another store later, this number never is.';
COMMENT ON COLUMN bi.day_status.store IS 'Code of the store, such as S01.';
COMMENT ON COLUMN bi.day_status.business_date IS 'The business day, by the date on which it begins. It ends at the cut-off hour of the store on the next date.';
COMMENT ON COLUMN bi.day_status.receipts IS 'Receipts in all states.';
COMMENT ON COLUMN bi.day_status.lines IS 'Their lines, also of held and voided receipts.';
COMMENT ON COLUMN bi.day_status.guessed_lines IS 'Lines that say no tax rate, so that the catalog was asked.';
COMMENT ON COLUMN bi.day_status.is_closed IS 'Whether the store has closed the day. Receipts that come later still count, and are late.';
COMMENT ON COLUMN bi.day_status.closed_at IS 'When the store closed the day; null while it is open.';
COMMENT ON COLUMN bi.day_status.is_complete IS 'Whether complete_until is past the end of the day: no receipt is missing that reached the store''s database in time. false also when complete_until is not known.';
COMMENT ON COLUMN bi.day_status.restatements IS 'How often its sums changed after it was closed: rows of bi.restated_day.';
COMMENT ON COLUMN bi.day_status.summed_up_at IS 'When its sums were worked out last.';
COMMENT ON COLUMN bi.day_status.complete_until IS 'Every receipt that reached the store''s database before this is in the figures. A ticket that was printed and whose file had not come by then is not. Null: not known yet. Over several stores take bi.chain_freshness, since min() leaves out nulls.';

-- freshness; Type: VIEW; Schema: bi; Owner: tpv_owner
CREATE VIEW bi.freshness AS
 SELECT s.node_id,
    s.store,
    u.complete_until,
    p.received_until,
    p.verified_until,
    p.beat_at AS heard_at,
    (COALESCE(d.days, (0)::bigint))::integer AS days_to_sum_up,
    d.oldest AS to_sum_up_since
   FROM (((bi.store s
     LEFT JOIN rollup.until u ON ((u.node_id = s.node_id)))
     LEFT JOIN sync.peer p ON ((p.node_id = s.node_id)))
     LEFT JOIN ( SELECT w.node_id,
            count(*) AS days,
            min(w.due_at) AS oldest
           FROM rollup.due w
          GROUP BY w.node_id) d ON ((d.node_id = s.node_id)))
  WHERE s.is_here;
COMMENT ON VIEW bi.freshness IS 'Up to when the figures of a store are complete and verified. Grain: a store whose receipts come to this database. In the database of a store it has one row.';
COMMENT ON COLUMN bi.freshness.node_id IS 'Number of the store''s node: join views by it. A store code may be used for another store later, this number never is.';
COMMENT ON COLUMN bi.freshness.store IS 'Code of the store, such as S01.';
COMMENT ON COLUMN bi.freshness.complete_until IS 'Every receipt that reached the store''s database before this is in the figures. A ticket that was printed and whose file had not come by then is not. Null: not known yet. Over several stores take bi.chain_freshness, since min() leaves out nulls.';
COMMENT ON COLUMN bi.freshness.received_until IS 'Every document that the store recorded before this is in this database. Null in the store''s own, and while it is not known.';
COMMENT ON COLUMN bi.freshness.verified_until IS 'The same, and compared: the hash chains link up to what the store has. Null in the store''s own, and while it is not known.';
COMMENT ON COLUMN bi.freshness.heard_at IS 'When this database last heard of the store. Null in the store''s own.';
COMMENT ON COLUMN bi.freshness.days_to_sum_up IS 'Business days and departments that are to be summed up again.';
COMMENT ON COLUMN bi.freshness.to_sum_up_since IS 'Since when the one of them that waits longest is due; null when there is none.';

-- held_receipt; Type: VIEW; Schema: bi; Owner: tpv_owner
CREATE VIEW bi.held_receipt AS
 SELECT r.node_id,
    s.store,
    r.business_date,
    r.department,
    r.terminal,
    r.receipt_id,
    r.series,
    r.receipt_number,
    r.printed_at,
    r.recorded_at,
    r.hold_code,
    r.flags,
    (r.line_count)::bigint AS lines,
    r.total,
    r.lines_total,
    r.total_difference
   FROM (sales.receipt r
     JOIN bi.store s ON ((s.node_id = r.node_id)))
  WHERE (r.state = 'held'::text);
COMMENT ON VIEW bi.held_receipt IS 'Receipts that wait for a person to release or void them. Grain: a receipt. They are in no sum of sales.';
COMMENT ON COLUMN bi.held_receipt.node_id IS 'Number of the store''s node: join views by it. A store code may be used for another store later, this number never is.';
COMMENT ON COLUMN bi.held_receipt.store IS 'Code of the store, such as S01.';
COMMENT ON COLUMN bi.held_receipt.business_date IS 'The business day, by the date on which it begins. It ends at the cut-off hour of the store on the next date.';
COMMENT ON COLUMN bi.held_receipt.department IS 'Code of the department.';
COMMENT ON COLUMN bi.held_receipt.terminal IS 'Code of the terminal.';
COMMENT ON COLUMN bi.held_receipt.receipt_id IS 'Key of the receipt, together with node_id.';
COMMENT ON COLUMN bi.held_receipt.series IS 'Series of the ticket; empty when there is none.';
COMMENT ON COLUMN bi.held_receipt.receipt_number IS 'Number as printed. It is unique for a terminal and day only.';
COMMENT ON COLUMN bi.held_receipt.printed_at IS 'The instant it was printed.';
COMMENT ON COLUMN bi.held_receipt.recorded_at IS 'When the store''s database received it.';
COMMENT ON COLUMN bi.held_receipt.hold_code IS 'Why it is held, a stable code: docs/codes.md says what each means.';
COMMENT ON COLUMN bi.held_receipt.flags IS 'Codes of what was odd and no reason to hold it: LATE, ROUNDING, CHECK_DIGIT … (docs/codes.md).';
COMMENT ON COLUMN bi.held_receipt.lines IS 'Number of its lines.';
COMMENT ON COLUMN bi.held_receipt.total IS 'Printed total with tax: what the customer saw.';
COMMENT ON COLUMN bi.held_receipt.lines_total IS 'Sum of the lines with tax. Sales are made of it.';
COMMENT ON COLUMN bi.held_receipt.total_difference IS 'total - lines_total: what the slip says beyond its lines.';

-- number_gap; Type: VIEW; Schema: bi; Owner: tpv_owner
CREATE VIEW bi.number_gap AS
 SELECT g.node_id,
    s.store,
    g.business_date,
    g.terminal,
    g.series,
    g.after_number,
    g.before_number,
    ((g.before_number - g.after_number) - 1) AS missing,
    u.complete_until
   FROM ((( SELECT r.node_id,
            r.business_date,
            r.terminal,
            r.series,
            (r.receipt_number)::bigint AS before_number,
            lag((r.receipt_number)::bigint) OVER (PARTITION BY r.node_id, r.business_date, r.terminal, r.series ORDER BY (r.receipt_number)::bigint) AS after_number
           FROM ( SELECT n.node_id,
                    n.business_date,
                    n.terminal,
                    n.series,
                        CASE
                            WHEN (n.receipt_number ~ '^[0-9]{1,18}$'::text) THEN n.receipt_number
                            ELSE NULL::text
                        END AS receipt_number
                   FROM sales.receipt n) r
          WHERE (r.receipt_number IS NOT NULL)) g
     JOIN bi.store s ON ((s.node_id = g.node_id)))
     LEFT JOIN rollup.until u ON ((u.node_id = g.node_id)))
  WHERE (g.before_number > (g.after_number + 1));
COMMENT ON VIEW bi.number_gap IS 'Numbers that a terminal left out within a business day. Grain: a gap in the numbers of a store, a business day, a terminal and a series. Filter by business_date. Receipts in all states have a number, voided and held ones too. Numbers that are not made of digits, and gaps between one day and the next, are not looked at. Once complete_until is past the end of the day, a gap stays until a late file fills it; before that its receipt may be on its way. Terminals number themselves, and a number may never have been printed; a refused file leaves a gap, too.';
COMMENT ON COLUMN bi.number_gap.node_id IS 'Number of the store''s node: join views by it. A store code may be used for another store later, this number never is.';
COMMENT ON COLUMN bi.number_gap.store IS 'Code of the store, such as S01.';
COMMENT ON COLUMN bi.number_gap.business_date IS 'The business day, by the date on which it begins. It ends at the cut-off hour of the store on the next date.';
COMMENT ON COLUMN bi.number_gap.terminal IS 'Code of the terminal.';
COMMENT ON COLUMN bi.number_gap.series IS 'Series of the ticket; empty when there is none.';
COMMENT ON COLUMN bi.number_gap.after_number IS 'The last number before the gap.';
COMMENT ON COLUMN bi.number_gap.before_number IS 'The first number behind it.';
COMMENT ON COLUMN bi.number_gap.missing IS 'How many numbers are missing between them.';
COMMENT ON COLUMN bi.number_gap.complete_until IS 'Every receipt that reached the store''s database before this is in the figures. A ticket that was printed and whose file had not come by then is not. Null: not known yet. Over several stores take bi.chain_freshness, since min() leaves out nulls.';

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
COMMENT ON COLUMN catalog.barcode.deleted IS 'Whether it was deleted. The number can be given to another product. Rows are never removed.';

-- local_code; Type: TABLE; Schema: catalog; Owner: tpv_owner
CREATE TABLE catalog.local_code (
    local_code_id uuid DEFAULT tpv.uuid7() NOT NULL,
    node_id integer,
    department_code text,
    code text NOT NULL,
    product_id uuid NOT NULL,
    deleted boolean DEFAULT false NOT NULL,
    CONSTRAINT local_code_check CHECK (((department_code IS NULL) OR (node_id IS NOT NULL))),
    CONSTRAINT local_code_code_check CHECK (((code <> ''::text) AND (code = btrim(code))))
);
COMMENT ON TABLE catalog.local_code IS 'Which product a code is that is no GTIN: the number of a scale (PLU), the item digits inside a label, a code of the department''s own. That of a department goes before that of its store, and that before the chain''s.';
COMMENT ON COLUMN catalog.local_code.local_code_id IS 'Key.';
COMMENT ON COLUMN catalog.local_code.node_id IS 'The only store it holds in; null for all.';
COMMENT ON COLUMN catalog.local_code.department_code IS 'The only department of that store it holds in; null for all.';
COMMENT ON COLUMN catalog.local_code.code IS 'The code as it is keyed in or printed, with its zeros.';
COMMENT ON COLUMN catalog.local_code.product_id IS 'The product.';
COMMENT ON COLUMN catalog.local_code.deleted IS 'Whether it was deleted. The code can be given to another product. Rows are never removed.';

-- price; Type: TABLE; Schema: catalog; Owner: tpv_owner
CREATE TABLE catalog.price (
    price_id uuid DEFAULT tpv.uuid7() NOT NULL,
    product_id uuid NOT NULL,
    node_id integer,
    price numeric(14,4),
    valid_from timestamp with time zone NOT NULL,
    deleted boolean DEFAULT false NOT NULL,
    CONSTRAINT price_price_check CHECK ((price >= (0)::numeric))
);
COMMENT ON TABLE catalog.price IS 'Unit prices with tax. Each holds from its valid_from until the next one of the same product and store. A store''s own goes before the chain''s. catalog.price_at answers which holds.';
COMMENT ON COLUMN catalog.price.price_id IS 'Key. Of two with one valid_from, the one with the greater key holds: it was made later.';
COMMENT ON COLUMN catalog.price.product_id IS 'The product.';
COMMENT ON COLUMN catalog.price.node_id IS 'The only store it holds in; null for all.';
COMMENT ON COLUMN catalog.price.price IS 'Unit price with tax. Null ends what was before: in a store the chain''s price holds again, in the chain there is none.';
COMMENT ON COLUMN catalog.price.valid_from IS 'From when.';
COMMENT ON COLUMN catalog.price.deleted IS 'Whether it was deleted. Then the one before holds on. Rows are never removed.';

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
COMMENT ON COLUMN catalog.product.tax_id IS 'Its tax; null for that of the department.';
COMMENT ON COLUMN catalog.product.unit IS 'What a quantity of it counts.';
COMMENT ON COLUMN catalog.product.deleted IS 'Whether it was deleted. Its number can be given again. Rows are never removed.';

-- price_check; Type: VIEW; Schema: bi; Owner: tpv_owner
CREATE VIEW bi.price_check AS
 SELECT r.node_id,
    s.store,
    r.business_date,
    r.department,
    r.terminal,
    r.receipt_id,
    r.receipt_number,
    r.printed_at,
    l.line_number,
    l.barcode,
    l.description,
    p.product_id,
    l.quantity,
    l.price,
    c.price AS catalog_price,
    (l.price - c.price) AS price_difference,
    round(((l.price - c.price) * l.quantity), 2) AS amount_difference,
    s.currency
   FROM ((((((sales.receipt r
     JOIN sales.receipt_line l ON (((l.node_id = r.node_id) AND (l.receipt_id = r.receipt_id) AND (l.business_date = r.business_date))))
     JOIN bi.store s ON ((s.node_id = r.node_id)))
     LEFT JOIN catalog.barcode b ON (((b.gtin14 = l.gtin14) AND (NOT b.deleted))))
     LEFT JOIN catalog.product bp ON (((bp.product_id = b.product_id) AND (NOT bp.deleted))))
     CROSS JOIN LATERAL ( SELECT COALESCE(bp.product_id, ( SELECT lp.product_id
                   FROM (((( SELECT ( SELECT substr(btrim(l.barcode), (u.item_start)::integer, (u.item_length)::integer) AS substr
                                   FROM catalog.barcode_rule u
                                  WHERE ((u.length = length(btrim(l.barcode))) AND starts_with(btrim(l.barcode), u.prefix) AND (btrim(l.barcode) ~ '^[0-9]+$'::text) AND (NOT u.deleted) AND ((u.node_id IS NULL) OR (u.node_id = l.node_id)) AND ((u.department_code IS NULL) OR (u.department_code = r.department)) AND ((u.valid_from IS NULL) OR (u.valid_from <= l.business_date)) AND ((u.valid_to IS NULL) OR (l.business_date <= u.valid_to)))
                                  ORDER BY u.priority, u.name
                                 LIMIT 1) AS digits) d
                     CROSS JOIN LATERAL ( VALUES (1,d.digits), (2,ltrim(d.digits, '0'::text)), (3,btrim(l.barcode))) w(step, code))
                     JOIN catalog.local_code c_1 ON (((c_1.code = w.code) AND (NOT c_1.deleted) AND ((c_1.node_id IS NULL) OR (c_1.node_id = l.node_id)) AND ((c_1.department_code IS NULL) OR (c_1.department_code = r.department)))))
                     JOIN catalog.product lp ON (((lp.product_id = c_1.product_id) AND (NOT lp.deleted))))
                  ORDER BY (w.step = 3), (c_1.department_code IS NULL), (c_1.node_id IS NULL), w.step
                 LIMIT 1)) AS product_id
         OFFSET 0) p)
     CROSS JOIN LATERAL ( SELECT COALESCE(( SELECT q.price
                   FROM catalog.price q
                  WHERE ((q.product_id = p.product_id) AND (q.node_id = l.node_id) AND (q.valid_from <= r.printed_at) AND (NOT q.deleted))
                  ORDER BY q.valid_from DESC, q.price_id DESC
                 LIMIT 1), ( SELECT q.price
                   FROM catalog.price q
                  WHERE ((q.product_id = p.product_id) AND (q.node_id IS NULL) AND (q.valid_from <= r.printed_at) AND (NOT q.deleted))
                  ORDER BY q.valid_from DESC, q.price_id DESC
                 LIMIT 1)) AS price) c)
  WHERE ((r.state = ANY (ARRAY['accepted'::text, 'released'::text])) AND (l.price <> c.price));
COMMENT ON VIEW bi.price_check IS 'Lines that were sold at another price than the catalog''s. Grain: a line of a receipt that counts. Ask for a store and a few days: each line is compared when somebody reads. Lines whose product or price the catalog does not know are not here.';
COMMENT ON COLUMN bi.price_check.node_id IS 'Number of the store''s node: join views by it. A store code may be used for another store later, this number never is.';
COMMENT ON COLUMN bi.price_check.store IS 'Code of the store, such as S01.';
COMMENT ON COLUMN bi.price_check.business_date IS 'The business day, by the date on which it begins. It ends at the cut-off hour of the store on the next date.';
COMMENT ON COLUMN bi.price_check.department IS 'Code of the department.';
COMMENT ON COLUMN bi.price_check.terminal IS 'Code of the terminal.';
COMMENT ON COLUMN bi.price_check.receipt_id IS 'Key of the receipt, together with node_id.';
COMMENT ON COLUMN bi.price_check.receipt_number IS 'Number as printed. It is unique for a terminal and day only.';
COMMENT ON COLUMN bi.price_check.printed_at IS 'The instant it was printed.';
COMMENT ON COLUMN bi.price_check.line_number IS 'Place on the receipt, from 1.';
COMMENT ON COLUMN bi.price_check.barcode IS 'The code on the line, as it was given.';
COMMENT ON COLUMN bi.price_check.description IS 'As the receipt says.';
COMMENT ON COLUMN bi.price_check.product_id IS 'The product in the catalog now; null where it does not know the item.';
COMMENT ON COLUMN bi.price_check.quantity IS 'Pieces or kilograms; below zero when taken back.';
COMMENT ON COLUMN bi.price_check.price IS 'Unit price with tax, as on the receipt.';
COMMENT ON COLUMN bi.price_check.catalog_price IS 'Unit price with tax that held in the store when the receipt was printed, as the catalog says now.';
COMMENT ON COLUMN bi.price_check.price_difference IS 'price - catalog_price.';
COMMENT ON COLUMN bi.price_check.amount_difference IS 'price_difference × quantity, rounded to cents: above zero when the customer paid more than the catalog says.';
COMMENT ON COLUMN bi.price_check.currency IS 'ISO 4217 code of all amounts of the row. Never add amounts of two currencies.';

-- item; Type: TABLE; Schema: rollup; Owner: tpv_owner
CREATE TABLE rollup.item (
    node_id integer NOT NULL,
    department text NOT NULL,
    item text NOT NULL,
    barcode text NOT NULL,
    description text NOT NULL,
    first_on date NOT NULL,
    last_on date NOT NULL,
    guessed boolean DEFAULT false NOT NULL
);
COMMENT ON TABLE rollup.item IS 'Items that were on a receipt, in whatever state, as the last one says it.';
COMMENT ON COLUMN rollup.item.node_id IS 'The store''s node.';
COMMENT ON COLUMN rollup.item.department IS 'The department.';
COMMENT ON COLUMN rollup.item.item IS 'The item, as in rollup.item_day.';
COMMENT ON COLUMN rollup.item.barcode IS 'The code on the last receipt of last_on.';
COMMENT ON COLUMN rollup.item.description IS 'The description there.';
COMMENT ON COLUMN rollup.item.first_on IS 'First business day.';
COMMENT ON COLUMN rollup.item.last_on IS 'Last business day.';
COMMENT ON COLUMN rollup.item.guessed IS 'Whether some receipt did not say its tax rate, so that its days are summed up again when the catalog says another one.';

-- product; Type: VIEW; Schema: bi; Owner: tpv_owner
CREATE VIEW bi.product AS
 SELECT i.node_id,
    s.store,
    i.department,
    i.item,
    i.barcode,
    i.description,
    i.first_on AS first_receipt_on,
    i.last_on AS last_receipt_on,
    p.product_id,
    p.sku,
    p.description AS product_description,
    p.unit,
    t.code AS tax_code,
    catalog.price_at(p.product_id, i.node_id) AS price_now
   FROM (((((rollup.item i
     JOIN bi.store s ON ((s.node_id = i.node_id)))
     LEFT JOIN catalog.barcode b ON (((b.gtin14 = i.item) AND (NOT b.deleted))))
     LEFT JOIN catalog.product bp ON (((bp.product_id = b.product_id) AND (NOT bp.deleted))))
     LEFT JOIN catalog.product p ON ((p.product_id =
        CASE
            WHEN (bp.product_id IS NOT NULL) THEN bp.product_id
            WHEN ((i.item ~ '^[0-9]{14}$'::text) OR ((i.item ~ '^L:'::text) AND (btrim(i.barcode) !~ '^([0-9]{8}|[0-9]{12,14})$'::text))) THEN ( SELECT lp.product_id
               FROM (catalog.local_code c
                 JOIN catalog.product lp ON (((lp.product_id = c.product_id) AND (NOT lp.deleted))))
              WHERE ((c.code = btrim(i.barcode)) AND (NOT c.deleted) AND ((c.node_id IS NULL) OR (c.node_id = i.node_id)) AND ((c.department_code IS NULL) OR (c.department_code = i.department)))
              ORDER BY (c.department_code IS NULL), (c.node_id IS NULL)
             LIMIT 1)
            ELSE catalog.find_product(i.node_id, i.department, i.barcode, i.last_on)
        END)))
     LEFT JOIN catalog.tax t ON (((t.tax_id = p.tax_id) AND (NOT t.deleted))));
COMMENT ON VIEW bi.product IS 'Dimension: what was sold, and the product that the catalog has for it now. Grain: a store, a department and an item. Items that were on no receipt are not here. The catalog is asked when somebody reads: filter by item or store first.';
COMMENT ON COLUMN bi.product.node_id IS 'Number of the store''s node: join views by it. A store code may be used for another store later, this number never is.';
COMMENT ON COLUMN bi.product.store IS 'Code of the store, such as S01.';
COMMENT ON COLUMN bi.product.department IS 'Code of the department.';
COMMENT ON COLUMN bi.product.item IS 'What was sold: a GTIN of 14 digits; R: and the digits of a restricted number (scale labels of all weights are one item); else L:<department>:<code>. A GTIN is the same everywhere; what R: and L: mean is a matter of the store, so group them by node_id too.';
COMMENT ON COLUMN bi.product.barcode IS 'The code on the last receipt with it.';
COMMENT ON COLUMN bi.product.description IS 'As the last receipt with it says.';
COMMENT ON COLUMN bi.product.first_receipt_on IS 'The first business day with it on a receipt, in whatever state.';
COMMENT ON COLUMN bi.product.last_receipt_on IS 'The last such day.';
COMMENT ON COLUMN bi.product.product_id IS 'The product in the catalog now; null where it does not know the item.';
COMMENT ON COLUMN bi.product.sku IS 'The chain''s own number of the product now.';
COMMENT ON COLUMN bi.product.product_description IS 'As the catalog says now; null where it does not know the item.';
COMMENT ON COLUMN bi.product.unit IS 'What a quantity of it counts: piece, kg or litre.';
COMMENT ON COLUMN bi.product.tax_code IS 'Tax of the product now; null for that of the department.';
COMMENT ON COLUMN bi.product.price_now IS 'Unit price with tax in that store now; null when there is none.';

-- receipt; Type: VIEW; Schema: bi; Owner: tpv_owner
CREATE VIEW bi.receipt AS
 SELECT r.node_id,
    s.store,
    r.business_date,
    r.department,
    r.terminal,
    r.receipt_id,
    r.series,
    r.receipt_number,
    r.printed_at,
    r.printed_local,
    r.recorded_at,
    (GREATEST(floor(EXTRACT(epoch FROM (r.recorded_at - r.printed_at))), (0)::numeric))::bigint AS waited_seconds,
    r.state,
    (r.state = ANY (ARRAY['accepted'::text, 'released'::text])) AS counts,
    (r.first_outcome = 'held'::text) AS was_held,
    r.hold_code,
    ('LATE'::text = ANY (r.flags)) AS is_late,
    r.flags,
    (r.line_count)::bigint AS lines,
    r.total,
    r.lines_total,
    r.total_difference
   FROM (sales.receipt r
     JOIN bi.store s ON ((s.node_id = r.node_id)));
COMMENT ON VIEW bi.receipt IS 'Fact: receipts of departments in all states. Grain: a receipt. Filter by business_date, or by receipt_id with node_id. Sums of sales take those where counts is true; the answers bi.sales_by_… do it already.';
COMMENT ON COLUMN bi.receipt.node_id IS 'Number of the store''s node: join views by it. A store code may be used for another store later, this number never is.';
COMMENT ON COLUMN bi.receipt.store IS 'Code of the store, such as S01.';
COMMENT ON COLUMN bi.receipt.business_date IS 'The business day, by the date on which it begins. It ends at the cut-off hour of the store on the next date.';
COMMENT ON COLUMN bi.receipt.department IS 'Code of the department.';
COMMENT ON COLUMN bi.receipt.terminal IS 'Code of the terminal.';
COMMENT ON COLUMN bi.receipt.receipt_id IS 'Key of the receipt, together with node_id.';
COMMENT ON COLUMN bi.receipt.series IS 'Series of the ticket; empty when there is none.';
COMMENT ON COLUMN bi.receipt.receipt_number IS 'Number as printed. It is unique for a terminal and day only.';
COMMENT ON COLUMN bi.receipt.printed_at IS 'The instant it was printed.';
COMMENT ON COLUMN bi.receipt.printed_local IS 'The time it was printed on the store''s wall clock.';
COMMENT ON COLUMN bi.receipt.recorded_at IS 'When the store''s database received it.';
COMMENT ON COLUMN bi.receipt.waited_seconds IS 'Whole seconds from print to the store''s database; 0 where the terminal''s clock is ahead.';
COMMENT ON COLUMN bi.receipt.state IS 'accepted; held: waits for a person; released: was held, and a person let it count; voided, also the ticket that undid another.';
COMMENT ON COLUMN bi.receipt.counts IS 'Whether it is a sale: accepted or released.';
COMMENT ON COLUMN bi.receipt.was_held IS 'Whether it was held when it came.';
COMMENT ON COLUMN bi.receipt.hold_code IS 'Why it was held, a stable code (docs/codes.md); null when it was not.';
COMMENT ON COLUMN bi.receipt.is_late IS 'Whether its day was closed when it came. It counts all the same.';
COMMENT ON COLUMN bi.receipt.flags IS 'Codes of what was odd and no reason to hold it: LATE, ROUNDING, CHECK_DIGIT … (docs/codes.md).';
COMMENT ON COLUMN bi.receipt.lines IS 'Number of its lines.';
COMMENT ON COLUMN bi.receipt.total IS 'Printed total with tax: what the customer saw.';
COMMENT ON COLUMN bi.receipt.lines_total IS 'Sum of the lines with tax. Sales are made of it.';
COMMENT ON COLUMN bi.receipt.total_difference IS 'total - lines_total: what the slip says beyond its lines.';

-- terminal_day; Type: TABLE; Schema: rollup; Owner: tpv_owner
CREATE TABLE rollup.terminal_day (
    node_id integer NOT NULL,
    business_date date NOT NULL,
    department text NOT NULL,
    terminal text NOT NULL,
    accepted integer NOT NULL,
    released integer NOT NULL,
    held integer NOT NULL,
    voided integer NOT NULL,
    late integer NOT NULL,
    lines integer NOT NULL,
    gross numeric(20,2) NOT NULL,
    net numeric(20,2) NOT NULL,
    tax numeric(20,2) NOT NULL,
    without_rate numeric(20,2) NOT NULL,
    held_total numeric(20,2) NOT NULL,
    voided_total numeric(20,2) NOT NULL,
    waited_seconds bigint NOT NULL,
    waited_most integer NOT NULL
);
COMMENT ON TABLE rollup.terminal_day IS 'Receipts of a terminal by day and state. Those that count are accepted + released.';
COMMENT ON COLUMN rollup.terminal_day.node_id IS 'The store''s node.';
COMMENT ON COLUMN rollup.terminal_day.business_date IS 'The business day.';
COMMENT ON COLUMN rollup.terminal_day.department IS 'The department.';
COMMENT ON COLUMN rollup.terminal_day.terminal IS 'The terminal.';
COMMENT ON COLUMN rollup.terminal_day.accepted IS 'Receipts that count and never waited.';
COMMENT ON COLUMN rollup.terminal_day.released IS 'Receipts that count, after a person released them.';
COMMENT ON COLUMN rollup.terminal_day.held IS 'Receipts that wait for a person.';
COMMENT ON COLUMN rollup.terminal_day.voided IS 'Receipts that are voided, with the tickets that undid others.';
COMMENT ON COLUMN rollup.terminal_day.late IS 'Receipts with the flag LATE, in whatever state.';
COMMENT ON COLUMN rollup.terminal_day.lines IS 'Lines of receipts that count.';
COMMENT ON COLUMN rollup.terminal_day.gross IS 'Of those that count: the sum of their lines, with tax.';
COMMENT ON COLUMN rollup.terminal_day.net IS 'Of those that count: without tax, as in rollup.sales_hour.';
COMMENT ON COLUMN rollup.terminal_day.tax IS 'Of those that count: the tax.';
COMMENT ON COLUMN rollup.terminal_day.without_rate IS 'Of those that count: lines whose rate nobody says, with tax.';
COMMENT ON COLUMN rollup.terminal_day.held_total IS 'Sum of the printed totals of those that are held.';
COMMENT ON COLUMN rollup.terminal_day.voided_total IS 'Sum of the printed totals of those that are voided.';
COMMENT ON COLUMN rollup.terminal_day.waited_seconds IS 'Whole seconds from print to the store''s database, over all receipts; a clock that is ahead counts as 0.';
COMMENT ON COLUMN rollup.terminal_day.waited_most IS 'The longest of these.';

-- receipts_by_state; Type: VIEW; Schema: bi; Owner: tpv_owner
CREATE VIEW bi.receipts_by_state AS
 SELECT d.node_id,
    s.store,
    d.business_date,
    d.department,
    d.terminal,
    ((((d.accepted + d.released) + d.held) + d.voided))::bigint AS receipts,
    (d.accepted)::bigint AS accepted,
    (d.released)::bigint AS released,
    (d.held)::bigint AS held,
    (d.voided)::bigint AS voided,
    (d.late)::bigint AS late,
    d.held_total,
    d.voided_total,
    s.currency,
    u.complete_until
   FROM ((rollup.terminal_day d
     JOIN bi.store s ON ((s.node_id = d.node_id)))
     LEFT JOIN rollup.until u ON ((u.node_id = d.node_id)));
COMMENT ON VIEW bi.receipts_by_state IS 'How many receipts are in which state now. Grain: a store, a business day, a department and a terminal. Files that are no receipts are in bi.rejected_file.';
COMMENT ON COLUMN bi.receipts_by_state.node_id IS 'Number of the store''s node: join views by it. A store code may be used for another store later, this number never is.';
COMMENT ON COLUMN bi.receipts_by_state.store IS 'Code of the store, such as S01.';
COMMENT ON COLUMN bi.receipts_by_state.business_date IS 'The business day, by the date on which it begins. It ends at the cut-off hour of the store on the next date.';
COMMENT ON COLUMN bi.receipts_by_state.department IS 'Code of the department.';
COMMENT ON COLUMN bi.receipts_by_state.terminal IS 'Code of the terminal.';
COMMENT ON COLUMN bi.receipts_by_state.receipts IS 'Receipts in all states: accepted + released + held + voided.';
COMMENT ON COLUMN bi.receipts_by_state.accepted IS 'Receipts that count and never waited.';
COMMENT ON COLUMN bi.receipts_by_state.released IS 'Receipts that count, after a person released them.';
COMMENT ON COLUMN bi.receipts_by_state.held IS 'Receipts that wait for a person. They are in no amount.';
COMMENT ON COLUMN bi.receipts_by_state.voided IS 'Receipts that are voided, with the tickets that undid others. They are in no amount.';
COMMENT ON COLUMN bi.receipts_by_state.late IS 'Receipts that came after their day was closed, in whatever state.';
COMMENT ON COLUMN bi.receipts_by_state.held_total IS 'Sum of the printed totals of those that are held, with tax.';
COMMENT ON COLUMN bi.receipts_by_state.voided_total IS 'Sum of the printed totals of those that are voided, with tax.';
COMMENT ON COLUMN bi.receipts_by_state.currency IS 'ISO 4217 code of all amounts of the row. Never add amounts of two currencies.';
COMMENT ON COLUMN bi.receipts_by_state.complete_until IS 'Every receipt that reached the store''s database before this is in the figures. A ticket that was printed and whose file had not come by then is not. Null: not known yet. Over several stores take bi.chain_freshness, since min() leaves out nulls.';

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

-- rejected_file; Type: VIEW; Schema: bi; Owner: tpv_owner
CREATE VIEW bi.rejected_file AS
 SELECT s.node_id,
    s.store,
    x.terminal,
    x.at AS refused_at,
    (((x.at AT TIME ZONE s.timezone) - make_interval(hours => (s.cutoff_hour)::integer)))::date AS business_date,
    x.code,
    x.pointer,
    x.file_name,
    x.size_bytes
   FROM ((sales.rejected x
     CROSS JOIN sync.this_node t)
     JOIN bi.store s ON ((s.node_id = t.node_id)));
COMMENT ON VIEW bi.rejected_file IS 'Files that are no usable receipts. Grain: a file. Each store keeps its own, so this is empty at central. What the files hold is not shown.';
COMMENT ON COLUMN bi.rejected_file.node_id IS 'Number of the store''s node: join views by it. A store code may be used for another store later, this number never is.';
COMMENT ON COLUMN bi.rejected_file.store IS 'Code of the store, such as S01.';
COMMENT ON COLUMN bi.rejected_file.terminal IS 'Code of the terminal.';
COMMENT ON COLUMN bi.rejected_file.refused_at IS 'When it first came.';
COMMENT ON COLUMN bi.rejected_file.business_date IS 'The business day on which it came. What is printed in it does not count.';
COMMENT ON COLUMN bi.rejected_file.code IS 'Why: a stable code such as TRUNCATED or UNKNOWN_TERMINAL (docs/codes.md).';
COMMENT ON COLUMN bi.rejected_file.pointer IS 'JSON pointer to the fault; empty for the file as a whole.';
COMMENT ON COLUMN bi.rejected_file.file_name IS 'Name of the file; null when it had none.';
COMMENT ON COLUMN bi.rejected_file.size_bytes IS 'Size of the file, in bytes.';

-- restated_day; Type: VIEW; Schema: bi; Owner: tpv_owner
CREATE VIEW bi.restated_day AS
 SELECT r.node_id,
    s.store,
    r.business_date,
    r.department,
    r.at AS restated_at,
    r.tickets_before,
    r.tickets_after,
    r.gross_before,
    r.gross_after,
    (r.gross_after - r.gross_before) AS gross_change,
    r.why,
    s.currency
   FROM (rollup.restated r
     JOIN bi.store s ON ((s.node_id = r.node_id)));
COMMENT ON VIEW bi.restated_day IS 'Changes of a day''s sums after the day was closed. Grain: a change of a store, a business day and a department. It is what this database had shown before; another one may have heard later, and so have other rows.';
COMMENT ON COLUMN bi.restated_day.node_id IS 'Number of the store''s node: join views by it. A store code may be used for another store later, this number never is.';
COMMENT ON COLUMN bi.restated_day.store IS 'Code of the store, such as S01.';
COMMENT ON COLUMN bi.restated_day.business_date IS 'The business day, by the date on which it begins. It ends at the cut-off hour of the store on the next date.';
COMMENT ON COLUMN bi.restated_day.department IS 'Code of the department.';
COMMENT ON COLUMN bi.restated_day.restated_at IS 'When the sums changed here.';
COMMENT ON COLUMN bi.restated_day.tickets_before IS 'Receipts that counted before.';
COMMENT ON COLUMN bi.restated_day.tickets_after IS 'Receipts that counted after it.';
COMMENT ON COLUMN bi.restated_day.gross_before IS 'Amount with tax before.';
COMMENT ON COLUMN bi.restated_day.gross_after IS 'Amount with tax after it.';
COMMENT ON COLUMN bi.restated_day.gross_change IS 'gross_after - gross_before.';
COMMENT ON COLUMN bi.restated_day.why IS 'What happened, in English: 2 receipts came, 1 receipt was voided; or that lines or tax rates changed. A change of tax alone leaves gross as it was.';
COMMENT ON COLUMN bi.restated_day.currency IS 'ISO 4217 code of all amounts of the row. Never add amounts of two currencies.';

-- sale_line; Type: VIEW; Schema: bi; Owner: tpv_owner
CREATE VIEW bi.sale_line AS
 SELECT l.node_id,
    s.store,
    l.business_date,
    r.department,
    r.terminal,
    l.receipt_id,
    r.receipt_number,
    r.printed_at,
    l.line_number,
    catalog.item_key(l.node_id, r.department, l.barcode, l.business_date) AS item,
    l.barcode,
    l.gtin14,
    l.description,
    l.price,
    l.quantity,
    l.total AS gross,
    (
        CASE
            WHEN (l.tax_rate IS NOT NULL) THEN l.tax_rate
            ELSE ( SELECT t.rate
               FROM catalog.line_tax(l.node_id, r.department, l.barcode, l.tax_rate, l.business_date) t(rate, source))
        END)::numeric(5,2) AS tax_rate,
        CASE
            WHEN (l.tax_rate IS NOT NULL) THEN 'receipt'::text
            ELSE ( SELECT t.source
               FROM catalog.line_tax(l.node_id, r.department, l.barcode, l.tax_rate, l.business_date) t(rate, source))
        END AS tax_source,
    r.state,
    (r.state = ANY (ARRAY['accepted'::text, 'released'::text])) AS counts
   FROM ((sales.receipt r
     JOIN sales.receipt_line l ON (((l.node_id = r.node_id) AND (l.receipt_id = r.receipt_id) AND (l.business_date = r.business_date))))
     JOIN bi.store s ON ((s.node_id = r.node_id)));
COMMENT ON VIEW bi.sale_line IS 'Fact: lines of receipts in all states. Grain: a line. Ask for a receipt, or for a store and a few days: item and guessed tax rates are looked up line by line. Sums over longer times are in bi.sales_by_item. Without tax there is no amount of a line: it is rounded for a receipt and rate (bi.tax_by_day).';
COMMENT ON COLUMN bi.sale_line.node_id IS 'Number of the store''s node: join views by it. A store code may be used for another store later, this number never is.';
COMMENT ON COLUMN bi.sale_line.store IS 'Code of the store, such as S01.';
COMMENT ON COLUMN bi.sale_line.business_date IS 'The business day, by the date on which it begins. It ends at the cut-off hour of the store on the next date.';
COMMENT ON COLUMN bi.sale_line.department IS 'Code of the department.';
COMMENT ON COLUMN bi.sale_line.terminal IS 'Code of the terminal.';
COMMENT ON COLUMN bi.sale_line.receipt_id IS 'Key of the receipt, together with node_id.';
COMMENT ON COLUMN bi.sale_line.receipt_number IS 'Number as printed. It is unique for a terminal and day only.';
COMMENT ON COLUMN bi.sale_line.printed_at IS 'The instant it was printed.';
COMMENT ON COLUMN bi.sale_line.line_number IS 'Place on the receipt, from 1.';
COMMENT ON COLUMN bi.sale_line.item IS 'What was sold: a GTIN of 14 digits; R: and the digits of a restricted number (scale labels of all weights are one item); else L:<department>:<code>. A GTIN is the same everywhere; what R: and L: mean is a matter of the store, so group them by node_id too.';
COMMENT ON COLUMN bi.sale_line.barcode IS 'The code on the line, as it was given.';
COMMENT ON COLUMN bi.sale_line.gtin14 IS 'Its 14-digit form when it is a GTIN with a right check digit; else null.';
COMMENT ON COLUMN bi.sale_line.description IS 'As the receipt says.';
COMMENT ON COLUMN bi.sale_line.price IS 'Unit price with tax, as on the receipt.';
COMMENT ON COLUMN bi.sale_line.quantity IS 'Pieces or kilograms; below zero when taken back.';
COMMENT ON COLUMN bi.sale_line.gross IS 'Amount of the line with tax: price × quantity, rounded half away from zero to cents.';
COMMENT ON COLUMN bi.sale_line.tax_rate IS 'Percent; null when nobody says it.';
COMMENT ON COLUMN bi.sale_line.tax_source IS 'Who says the rate. receipt: it was printed. product, department: guessed by the catalog, at the business day. unknown: nobody.';
COMMENT ON COLUMN bi.sale_line.state IS 'State of its receipt: accepted, held, released or voided.';
COMMENT ON COLUMN bi.sale_line.counts IS 'Whether it is a sale: accepted or released.';

-- sales_by_department; Type: VIEW; Schema: bi; Owner: tpv_owner
CREATE VIEW bi.sales_by_department AS
 SELECT h.node_id,
    h.store,
    h.business_date,
    h.department,
    h.tickets,
    h.voided,
    h.lines,
    h.units,
    h.gross,
    h.net,
    h.tax,
    h.guessed_tax,
    h.without_rate,
    round((h.gross / (NULLIF(h.tickets, 0))::numeric), 2) AS average_ticket,
    round(((h.units)::numeric / (NULLIF(h.tickets, 0))::numeric), 2) AS units_per_ticket,
    h.currency,
    u.complete_until
   FROM (( SELECT h_1.node_id,
            s.store,
            s.currency,
            h_1.business_date,
            h_1.department,
            sum(h_1.tickets) AS tickets,
            sum(h_1.voided) AS voided,
            sum(h_1.lines) AS lines,
            (sum(h_1.units))::bigint AS units,
            sum(h_1.gross) AS gross,
            sum(h_1.net) AS net,
            sum(h_1.tax) AS tax,
            sum(h_1.guessed_tax) AS guessed_tax,
            sum(h_1.without_rate) AS without_rate
           FROM (rollup.sales_hour h_1
             JOIN bi.store s ON ((s.node_id = h_1.node_id)))
          GROUP BY h_1.node_id, s.store, s.currency, h_1.business_date, h_1.department) h
     LEFT JOIN rollup.until u ON ((u.node_id = h.node_id)));
COMMENT ON VIEW bi.sales_by_department IS 'Sales by department. Grain: a store, a business day and a department. Held and voided receipts are in no amount.';
COMMENT ON COLUMN bi.sales_by_department.node_id IS 'Number of the store''s node: join views by it. A store code may be used for another store later, this number never is.';
COMMENT ON COLUMN bi.sales_by_department.store IS 'Code of the store, such as S01.';
COMMENT ON COLUMN bi.sales_by_department.business_date IS 'The business day, by the date on which it begins. It ends at the cut-off hour of the store on the next date.';
COMMENT ON COLUMN bi.sales_by_department.department IS 'Code of the department.';
COMMENT ON COLUMN bi.sales_by_department.tickets IS 'Department tickets that count as sales: receipts that are accepted or released. A customer of three departments has three. Whether they were paid at a till is not known.';
COMMENT ON COLUMN bi.sales_by_department.voided IS 'Receipts that are voided, with the tickets that undid others. They are in no amount.';
COMMENT ON COLUMN bi.sales_by_department.lines IS 'Lines of receipts that count.';
COMMENT ON COLUMN bi.sales_by_department.units IS 'Pieces; a weighed line is one. What was taken back counts below zero.';
COMMENT ON COLUMN bi.sales_by_department.gross IS 'Amount with tax: the sum of the lines. gross = net + tax + without_rate.';
COMMENT ON COLUMN bi.sales_by_department.net IS 'Amount without tax, of lines whose rate is printed or said by the catalog; the others are in without_rate. Rounded for each receipt and rate, half away from zero to cents.';
COMMENT ON COLUMN bi.sales_by_department.tax IS 'Tax in the amount.';
COMMENT ON COLUMN bi.sales_by_department.guessed_tax IS 'The part of tax that is guessed: the receipts do not say its rate, and the catalog does (tax_source product or department).';
COMMENT ON COLUMN bi.sales_by_department.without_rate IS 'Amount with tax of lines whose tax rate nobody says. It is in gross, and no part of net and tax.';
COMMENT ON COLUMN bi.sales_by_department.average_ticket IS 'gross / tickets, rounded to cents; null without tickets. Over several rows divide the sums instead.';
COMMENT ON COLUMN bi.sales_by_department.units_per_ticket IS 'units / tickets, rounded to two decimals; null without tickets. Over several rows divide the sums instead.';
COMMENT ON COLUMN bi.sales_by_department.currency IS 'ISO 4217 code of all amounts of the row. Never add amounts of two currencies.';
COMMENT ON COLUMN bi.sales_by_department.complete_until IS 'Every receipt that reached the store''s database before this is in the figures. A ticket that was printed and whose file had not come by then is not. Null: not known yet. Over several stores take bi.chain_freshness, since min() leaves out nulls.';

-- sales_by_concessionaire; Type: VIEW; Schema: bi; Owner: tpv_owner
CREATE VIEW bi.sales_by_concessionaire AS
 SELECT d.concessionaire_id,
    d.concessionaire,
    h.node_id,
    h.store,
    h.business_date,
    h.department,
    h.tickets,
    h.lines,
    h.units,
    h.gross,
    h.net,
    h.tax,
    h.without_rate,
    h.currency,
    h.complete_until
   FROM (bi.sales_by_department h
     JOIN bi.department d ON (((d.node_id = h.node_id) AND (d.department = h.department))))
  WHERE (d.concessionaire_id IS NOT NULL);
COMMENT ON VIEW bi.sales_by_concessionaire IS 'Sales of leased departments. Grain: a concessionaire, a store, a department and a business day. All days are given to whoever has the department now: who had it before is not recorded yet. Departments that the store runs itself are not here.';
COMMENT ON COLUMN bi.sales_by_concessionaire.concessionaire_id IS 'Key of the concessionaire; null for a department that the store runs itself.';
COMMENT ON COLUMN bi.sales_by_concessionaire.concessionaire IS 'Registered name of the concessionaire.';
COMMENT ON COLUMN bi.sales_by_concessionaire.node_id IS 'Number of the store''s node: join views by it. A store code may be used for another store later, this number never is.';
COMMENT ON COLUMN bi.sales_by_concessionaire.store IS 'Code of the store, such as S01.';
COMMENT ON COLUMN bi.sales_by_concessionaire.business_date IS 'The business day, by the date on which it begins. It ends at the cut-off hour of the store on the next date.';
COMMENT ON COLUMN bi.sales_by_concessionaire.department IS 'Code of the department.';
COMMENT ON COLUMN bi.sales_by_concessionaire.tickets IS 'Department tickets that count as sales: receipts that are accepted or released. A customer of three departments has three. Whether they were paid at a till is not known.';
COMMENT ON COLUMN bi.sales_by_concessionaire.lines IS 'Lines of receipts that count.';
COMMENT ON COLUMN bi.sales_by_concessionaire.units IS 'Pieces; a weighed line is one. What was taken back counts below zero.';
COMMENT ON COLUMN bi.sales_by_concessionaire.gross IS 'Amount with tax: the sum of the lines. gross = net + tax + without_rate.';
COMMENT ON COLUMN bi.sales_by_concessionaire.net IS 'Amount without tax, of lines whose rate is printed or said by the catalog; the others are in without_rate. Rounded for each receipt and rate, half away from zero to cents.';
COMMENT ON COLUMN bi.sales_by_concessionaire.tax IS 'Tax in the amount.';
COMMENT ON COLUMN bi.sales_by_concessionaire.without_rate IS 'Amount with tax of lines whose tax rate nobody says. It is in gross, and no part of net and tax.';
COMMENT ON COLUMN bi.sales_by_concessionaire.currency IS 'ISO 4217 code of all amounts of the row. Never add amounts of two currencies.';
COMMENT ON COLUMN bi.sales_by_concessionaire.complete_until IS 'Every receipt that reached the store''s database before this is in the figures. A ticket that was printed and whose file had not come by then is not. Null: not known yet. Over several stores take bi.chain_freshness, since min() leaves out nulls.';

-- sales_by_hour; Type: VIEW; Schema: bi; Owner: tpv_owner
CREATE VIEW bi.sales_by_hour AS
 SELECT h.node_id,
    s.store,
    h.business_date,
    h.department,
    (h.hour)::integer AS hour,
    (h.tickets)::bigint AS tickets,
    (h.voided)::bigint AS voided,
    (h.lines)::bigint AS lines,
    h.units,
    h.gross,
    h.net,
    h.tax,
    h.guessed_tax,
    h.without_rate,
    round((h.gross / (NULLIF(h.tickets, 0))::numeric), 2) AS average_ticket,
    round(((h.units)::numeric / (NULLIF(h.tickets, 0))::numeric), 2) AS units_per_ticket,
    s.currency,
    u.complete_until
   FROM ((rollup.sales_hour h
     JOIN bi.store s ON ((s.node_id = h.node_id)))
     LEFT JOIN rollup.until u ON ((u.node_id = h.node_id)));
COMMENT ON VIEW bi.sales_by_hour IS 'Sales by hour. Grain: a store, a business day, a department and an hour of the store''s wall clock. Held and voided receipts are in no amount. Hours after midnight and before the cut-off belong to the business day before.';
COMMENT ON COLUMN bi.sales_by_hour.node_id IS 'Number of the store''s node: join views by it. A store code may be used for another store later, this number never is.';
COMMENT ON COLUMN bi.sales_by_hour.store IS 'Code of the store, such as S01.';
COMMENT ON COLUMN bi.sales_by_hour.business_date IS 'The business day, by the date on which it begins. It ends at the cut-off hour of the store on the next date.';
COMMENT ON COLUMN bi.sales_by_hour.department IS 'Code of the department.';
COMMENT ON COLUMN bi.sales_by_hour.hour IS 'Hour of the store''s wall clock when it was printed, 0 to 23.';
COMMENT ON COLUMN bi.sales_by_hour.tickets IS 'Department tickets that count as sales: receipts that are accepted or released. A customer of three departments has three. Whether they were paid at a till is not known.';
COMMENT ON COLUMN bi.sales_by_hour.voided IS 'Receipts that are voided, with the tickets that undid others. They are in no amount.';
COMMENT ON COLUMN bi.sales_by_hour.lines IS 'Lines of receipts that count.';
COMMENT ON COLUMN bi.sales_by_hour.units IS 'Pieces; a weighed line is one. What was taken back counts below zero.';
COMMENT ON COLUMN bi.sales_by_hour.gross IS 'Amount with tax: the sum of the lines. gross = net + tax + without_rate.';
COMMENT ON COLUMN bi.sales_by_hour.net IS 'Amount without tax, of lines whose rate is printed or said by the catalog; the others are in without_rate. Rounded for each receipt and rate, half away from zero to cents.';
COMMENT ON COLUMN bi.sales_by_hour.tax IS 'Tax in the amount.';
COMMENT ON COLUMN bi.sales_by_hour.guessed_tax IS 'The part of tax that is guessed: the receipts do not say its rate, and the catalog does (tax_source product or department).';
COMMENT ON COLUMN bi.sales_by_hour.without_rate IS 'Amount with tax of lines whose tax rate nobody says. It is in gross, and no part of net and tax.';
COMMENT ON COLUMN bi.sales_by_hour.average_ticket IS 'gross / tickets, rounded to cents; null without tickets. Over several rows divide the sums instead.';
COMMENT ON COLUMN bi.sales_by_hour.units_per_ticket IS 'units / tickets, rounded to two decimals; null without tickets. Over several rows divide the sums instead.';
COMMENT ON COLUMN bi.sales_by_hour.currency IS 'ISO 4217 code of all amounts of the row. Never add amounts of two currencies.';
COMMENT ON COLUMN bi.sales_by_hour.complete_until IS 'Every receipt that reached the store''s database before this is in the figures. A ticket that was printed and whose file had not come by then is not. Null: not known yet. Over several stores take bi.chain_freshness, since min() leaves out nulls.';

-- item_day; Type: TABLE; Schema: rollup; Owner: tpv_owner
CREATE TABLE rollup.item_day (
    node_id integer NOT NULL,
    business_date date NOT NULL,
    department text NOT NULL,
    item text NOT NULL,
    lines integer NOT NULL,
    sold numeric(20,3) NOT NULL,
    returned numeric(20,3) NOT NULL,
    gross numeric(20,2) NOT NULL,
    net numeric(20,2) NOT NULL,
    without_rate numeric(20,2) NOT NULL
);
COMMENT ON TABLE rollup.item_day IS 'Sales by item and day, of receipts that count.';
COMMENT ON COLUMN rollup.item_day.node_id IS 'The store''s node.';
COMMENT ON COLUMN rollup.item_day.business_date IS 'The business day.';
COMMENT ON COLUMN rollup.item_day.department IS 'The department.';
COMMENT ON COLUMN rollup.item_day.item IS 'What was sold: a GTIN of 14 digits; R: and the digits of a restricted number; else L:<department>:<code>.';
COMMENT ON COLUMN rollup.item_day.lines IS 'Lines.';
COMMENT ON COLUMN rollup.item_day.sold IS 'Sum of the quantities above zero: pieces or kilograms.';
COMMENT ON COLUMN rollup.item_day.returned IS 'Sum of the quantities below zero, as a number above it.';
COMMENT ON COLUMN rollup.item_day.gross IS 'Sum of the lines, with tax.';
COMMENT ON COLUMN rollup.item_day.net IS 'Without tax: for each tax rate the sum of the day''s lines * 100 / (100 + rate), rounded once. It may differ by cents from what receipts add up to, which are rounded one by one.';
COMMENT ON COLUMN rollup.item_day.without_rate IS 'Sum of the lines, with tax, whose rate nobody says. No part of net.';

-- sales_by_item; Type: VIEW; Schema: bi; Owner: tpv_owner
CREATE VIEW bi.sales_by_item AS
 SELECT d.node_id,
    s.store,
    d.business_date,
    d.department,
    d.item,
    i.description,
    (d.lines)::bigint AS lines,
    d.sold,
    d.returned,
    (d.sold - d.returned) AS quantity,
    d.gross,
    d.net,
    d.without_rate,
    s.currency,
    u.complete_until
   FROM (((rollup.item_day d
     JOIN bi.store s ON ((s.node_id = d.node_id)))
     LEFT JOIN rollup.item i ON (((i.node_id = d.node_id) AND (i.department = d.department) AND (i.item = d.item))))
     LEFT JOIN rollup.until u ON ((u.node_id = d.node_id)));
COMMENT ON VIEW bi.sales_by_item IS 'Sales by item. Grain: a store, a business day, a department and an item. Held and voided receipts are not in it. Which product it is now is in bi.product.';
COMMENT ON COLUMN bi.sales_by_item.node_id IS 'Number of the store''s node: join views by it. A store code may be used for another store later, this number never is.';
COMMENT ON COLUMN bi.sales_by_item.store IS 'Code of the store, such as S01.';
COMMENT ON COLUMN bi.sales_by_item.business_date IS 'The business day, by the date on which it begins. It ends at the cut-off hour of the store on the next date.';
COMMENT ON COLUMN bi.sales_by_item.department IS 'Code of the department.';
COMMENT ON COLUMN bi.sales_by_item.item IS 'What was sold: a GTIN of 14 digits; R: and the digits of a restricted number (scale labels of all weights are one item); else L:<department>:<code>. A GTIN is the same everywhere; what R: and L: mean is a matter of the store, so group them by node_id too.';
COMMENT ON COLUMN bi.sales_by_item.description IS 'As the last receipt with the item says.';
COMMENT ON COLUMN bi.sales_by_item.lines IS 'Lines of receipts that count.';
COMMENT ON COLUMN bi.sales_by_item.sold IS 'Sum of the quantities above zero, in the unit of the item: pieces, kilograms or litres (bi.product.unit).';
COMMENT ON COLUMN bi.sales_by_item.returned IS 'Sum of the quantities below zero, as a number above it.';
COMMENT ON COLUMN bi.sales_by_item.quantity IS 'sold - returned, in the unit of the item: pieces, kilograms or litres (bi.product.unit).';
COMMENT ON COLUMN bi.sales_by_item.gross IS 'Amount with tax: the sum of the lines. What it has beyond net and without_rate is tax.';
COMMENT ON COLUMN bi.sales_by_item.net IS 'Amount without tax. It is rounded for a day, and so may differ by cents from bi.tax_by_day, where receipts are rounded one by one.';
COMMENT ON COLUMN bi.sales_by_item.without_rate IS 'Amount with tax of lines whose tax rate nobody says. It is in gross, and no part of net and tax.';
COMMENT ON COLUMN bi.sales_by_item.currency IS 'ISO 4217 code of all amounts of the row. Never add amounts of two currencies.';
COMMENT ON COLUMN bi.sales_by_item.complete_until IS 'Every receipt that reached the store''s database before this is in the figures. A ticket that was printed and whose file had not come by then is not. Null: not known yet. Over several stores take bi.chain_freshness, since min() leaves out nulls.';

-- sales_by_terminal; Type: VIEW; Schema: bi; Owner: tpv_owner
CREATE VIEW bi.sales_by_terminal AS
 SELECT d.node_id,
    s.store,
    d.business_date,
    d.department,
    d.terminal,
    ((d.accepted + d.released))::bigint AS tickets,
    (d.voided)::bigint AS voided,
    (d.lines)::bigint AS lines,
    d.gross,
    d.net,
    d.tax,
    d.without_rate,
    round((d.gross / (NULLIF((d.accepted + d.released), 0))::numeric), 2) AS average_ticket,
    s.currency,
    u.complete_until
   FROM ((rollup.terminal_day d
     JOIN bi.store s ON ((s.node_id = d.node_id)))
     LEFT JOIN rollup.until u ON ((u.node_id = d.node_id)));
COMMENT ON VIEW bi.sales_by_terminal IS 'Sales by terminal. Grain: a store, a business day, a department and a terminal. Held and voided receipts are in no amount.';
COMMENT ON COLUMN bi.sales_by_terminal.node_id IS 'Number of the store''s node: join views by it. A store code may be used for another store later, this number never is.';
COMMENT ON COLUMN bi.sales_by_terminal.store IS 'Code of the store, such as S01.';
COMMENT ON COLUMN bi.sales_by_terminal.business_date IS 'The business day, by the date on which it begins. It ends at the cut-off hour of the store on the next date.';
COMMENT ON COLUMN bi.sales_by_terminal.department IS 'Code of the department.';
COMMENT ON COLUMN bi.sales_by_terminal.terminal IS 'Code of the terminal.';
COMMENT ON COLUMN bi.sales_by_terminal.tickets IS 'Department tickets that count as sales: receipts that are accepted or released. A customer of three departments has three. Whether they were paid at a till is not known.';
COMMENT ON COLUMN bi.sales_by_terminal.voided IS 'Receipts that are voided, with the tickets that undid others. They are in no amount.';
COMMENT ON COLUMN bi.sales_by_terminal.lines IS 'Lines of receipts that count.';
COMMENT ON COLUMN bi.sales_by_terminal.gross IS 'Amount with tax: the sum of the lines. gross = net + tax + without_rate.';
COMMENT ON COLUMN bi.sales_by_terminal.net IS 'Amount without tax, of lines whose rate is printed or said by the catalog; the others are in without_rate. Rounded for each receipt and rate, half away from zero to cents.';
COMMENT ON COLUMN bi.sales_by_terminal.tax IS 'Tax in the amount.';
COMMENT ON COLUMN bi.sales_by_terminal.without_rate IS 'Amount with tax of lines whose tax rate nobody says. It is in gross, and no part of net and tax.';
COMMENT ON COLUMN bi.sales_by_terminal.average_ticket IS 'gross / tickets, rounded to cents; null without tickets. Over several rows divide the sums instead.';
COMMENT ON COLUMN bi.sales_by_terminal.currency IS 'ISO 4217 code of all amounts of the row. Never add amounts of two currencies.';
COMMENT ON COLUMN bi.sales_by_terminal.complete_until IS 'Every receipt that reached the store''s database before this is in the figures. A ticket that was printed and whose file had not come by then is not. Null: not known yet. Over several stores take bi.chain_freshness, since min() leaves out nulls.';

-- stopped_selling; Type: VIEW; Schema: bi; Owner: tpv_owner
CREATE VIEW bi.stopped_selling AS
 SELECT i.node_id,
    s.store,
    i.department,
    i.item,
    i.description,
    l.last_sold_on,
    (e.last_business_date - l.last_sold_on) AS days_without_sale,
    ( SELECT sum(b.sold) AS sum
           FROM rollup.item_day b
          WHERE ((b.node_id = i.node_id) AND (b.department = i.department) AND (b.item = i.item) AND ((b.business_date >= (l.last_sold_on - 27)) AND (b.business_date <= l.last_sold_on)))) AS sold_in_last_weeks,
    ( SELECT sum(b.gross) AS sum
           FROM rollup.item_day b
          WHERE ((b.node_id = i.node_id) AND (b.department = i.department) AND (b.item = i.item) AND ((b.business_date >= (l.last_sold_on - 27)) AND (b.business_date <= l.last_sold_on)))) AS gross_in_last_weeks,
    s.currency,
    u.complete_until
   FROM ((((rollup.item i
     JOIN bi.store s ON ((s.node_id = i.node_id)))
     JOIN ( SELECT b.node_id,
            max(b.business_date) AS last_business_date
           FROM rollup.bucket b
          GROUP BY b.node_id) e ON ((e.node_id = i.node_id)))
     LEFT JOIN rollup.until u ON ((u.node_id = i.node_id)))
     CROSS JOIN LATERAL ( SELECT d.business_date AS last_sold_on
           FROM rollup.item_day d
          WHERE ((d.node_id = i.node_id) AND (d.department = i.department) AND (d.item = i.item) AND (d.sold > (0)::numeric))
          ORDER BY d.business_date DESC
         LIMIT 1) l)
  WHERE (l.last_sold_on < e.last_business_date);
COMMENT ON VIEW bi.stopped_selling IS 'Items that did not sell on the last business day of their store, and for how long. Grain: a store, a department and an item. Days are counted up to the last business day with a receipt there, so a store whose line is cut does not look as if nothing sold. Items that never sold are not here.';
COMMENT ON COLUMN bi.stopped_selling.node_id IS 'Number of the store''s node: join views by it. A store code may be used for another store later, this number never is.';
COMMENT ON COLUMN bi.stopped_selling.store IS 'Code of the store, such as S01.';
COMMENT ON COLUMN bi.stopped_selling.department IS 'Code of the department.';
COMMENT ON COLUMN bi.stopped_selling.item IS 'What was sold: a GTIN of 14 digits; R: and the digits of a restricted number (scale labels of all weights are one item); else L:<department>:<code>. A GTIN is the same everywhere; what R: and L: mean is a matter of the store, so group them by node_id too.';
COMMENT ON COLUMN bi.stopped_selling.description IS 'As the last receipt with the item says.';
COMMENT ON COLUMN bi.stopped_selling.last_sold_on IS 'The last business day it was sold. Returns are no sale.';
COMMENT ON COLUMN bi.stopped_selling.days_without_sale IS 'Days from then to the last business day of the store.';
COMMENT ON COLUMN bi.stopped_selling.sold_in_last_weeks IS 'Pieces or kilograms sold in the 28 days that end with last_sold_on.';
COMMENT ON COLUMN bi.stopped_selling.gross_in_last_weeks IS 'Amount with tax in these days, less returns.';
COMMENT ON COLUMN bi.stopped_selling.currency IS 'ISO 4217 code of all amounts of the row. Never add amounts of two currencies.';
COMMENT ON COLUMN bi.stopped_selling.complete_until IS 'Every receipt that reached the store''s database before this is in the figures. A ticket that was printed and whose file had not come by then is not. Null: not known yet. Over several stores take bi.chain_freshness, since min() leaves out nulls.';

-- tax_rate; Type: TABLE; Schema: catalog; Owner: tpv_owner
CREATE TABLE catalog.tax_rate (
    tax_rate_id uuid DEFAULT tpv.uuid7() NOT NULL,
    tax_id uuid NOT NULL,
    rate numeric(5,2) NOT NULL,
    valid_from date NOT NULL,
    deleted boolean DEFAULT false NOT NULL,
    CONSTRAINT tax_rate_rate_check CHECK (((rate >= (0)::numeric) AND (rate <= (100)::numeric)))
);
COMMENT ON TABLE catalog.tax_rate IS 'Rates of taxes. Each holds from its first day until the next one of the same tax.';
COMMENT ON COLUMN catalog.tax_rate.tax_rate_id IS 'Key. Of two with one first day, the one with the greater key holds: it was made later.';
COMMENT ON COLUMN catalog.tax_rate.tax_id IS 'The tax.';
COMMENT ON COLUMN catalog.tax_rate.rate IS 'Percent.';
COMMENT ON COLUMN catalog.tax_rate.valid_from IS 'The first business day it holds.';
COMMENT ON COLUMN catalog.tax_rate.deleted IS 'Whether it was deleted. Then the one before holds on. Rows are never removed.';

-- tax; Type: VIEW; Schema: bi; Owner: tpv_owner
CREATE VIEW bi.tax AS
 SELECT t.code AS tax_code,
    t.name,
    r.rate AS tax_rate,
    r.valid_from,
    (lead(r.valid_from) OVER (PARTITION BY t.tax_id ORDER BY r.valid_from) - 1) AS valid_to
   FROM (catalog.tax t
     JOIN ( SELECT DISTINCT ON (r_1.tax_id, r_1.valid_from) r_1.tax_id,
            r_1.valid_from,
            r_1.rate
           FROM catalog.tax_rate r_1
          WHERE (NOT r_1.deleted)
          ORDER BY r_1.tax_id, r_1.valid_from, r_1.tax_rate_id DESC) r ON ((r.tax_id = t.tax_id)))
  WHERE (NOT t.deleted);
COMMENT ON VIEW bi.tax IS 'Dimension: taxes and their rates. Grain: a tax and a rate of it. Deleted ones, and taxes without a rate, are not here.';
COMMENT ON COLUMN bi.tax.tax_code IS 'Short name of the tax.';
COMMENT ON COLUMN bi.tax.name IS 'Name for people.';
COMMENT ON COLUMN bi.tax.tax_rate IS 'Percent.';
COMMENT ON COLUMN bi.tax.valid_from IS 'The first business day it holds.';
COMMENT ON COLUMN bi.tax.valid_to IS 'The last business day it holds; null when no other rate follows.';

-- tax_day; Type: TABLE; Schema: rollup; Owner: tpv_owner
CREATE TABLE rollup.tax_day (
    node_id integer NOT NULL,
    business_date date NOT NULL,
    department text NOT NULL,
    tax_rate numeric(5,2),
    source text NOT NULL,
    receipts integer NOT NULL,
    lines integer NOT NULL,
    gross numeric(20,2) NOT NULL,
    net numeric(20,2) NOT NULL,
    tax numeric(20,2) NOT NULL,
    CONSTRAINT tax_day_source_check CHECK ((source = ANY (ARRAY['receipt'::text, 'product'::text, 'department'::text, 'unknown'::text])))
);
COMMENT ON TABLE rollup.tax_day IS 'Sales by tax rate and day, of receipts that count.';
COMMENT ON COLUMN rollup.tax_day.node_id IS 'The store''s node.';
COMMENT ON COLUMN rollup.tax_day.business_date IS 'The business day.';
COMMENT ON COLUMN rollup.tax_day.department IS 'The department.';
COMMENT ON COLUMN rollup.tax_day.tax_rate IS 'Percent; null when nobody says it.';
COMMENT ON COLUMN rollup.tax_day.source IS 'Who says the rate: receipt (it was printed), product or department (the catalog, at the business day), unknown (nobody).';
COMMENT ON COLUMN rollup.tax_day.receipts IS 'Receipts with lines of that rate.';
COMMENT ON COLUMN rollup.tax_day.lines IS 'Lines.';
COMMENT ON COLUMN rollup.tax_day.gross IS 'Sum of the lines, with tax.';
COMMENT ON COLUMN rollup.tax_day.net IS 'Without tax: for each receipt the sum of these lines * 100 / (100 + rate), rounded half away from zero to cents; 0 without a rate. Where a receipt prints a rate on some lines and others are guessed to have it, their sum is rounded, and the guessed lines have what the printed ones leave of it.';
COMMENT ON COLUMN rollup.tax_day.tax IS 'gross - net; 0 without a rate.';

-- tax_by_day; Type: VIEW; Schema: bi; Owner: tpv_owner
CREATE VIEW bi.tax_by_day AS
 SELECT t.node_id,
    s.store,
    t.business_date,
    t.department,
    t.tax_rate,
    t.source AS tax_source,
    (t.receipts)::bigint AS tickets,
    (t.lines)::bigint AS lines,
    t.gross,
    t.net,
    t.tax,
    s.currency,
    u.complete_until
   FROM ((rollup.tax_day t
     JOIN bi.store s ON ((s.node_id = t.node_id)))
     LEFT JOIN rollup.until u ON ((u.node_id = t.node_id)));
COMMENT ON VIEW bi.tax_by_day IS 'Sales by tax rate. Grain: a store, a business day, a department, a rate and who says the rate. Held and voided receipts are not in it.';
COMMENT ON COLUMN bi.tax_by_day.node_id IS 'Number of the store''s node: join views by it. A store code may be used for another store later, this number never is.';
COMMENT ON COLUMN bi.tax_by_day.store IS 'Code of the store, such as S01.';
COMMENT ON COLUMN bi.tax_by_day.business_date IS 'The business day, by the date on which it begins. It ends at the cut-off hour of the store on the next date.';
COMMENT ON COLUMN bi.tax_by_day.department IS 'Code of the department.';
COMMENT ON COLUMN bi.tax_by_day.tax_rate IS 'Percent; null when nobody says it.';
COMMENT ON COLUMN bi.tax_by_day.tax_source IS 'Who says the rate. receipt: it was printed. product, department: guessed by the catalog, at the business day. unknown: nobody.';
COMMENT ON COLUMN bi.tax_by_day.tickets IS 'Receipts with lines of that rate. A receipt with two rates is in two rows: do not add them up.';
COMMENT ON COLUMN bi.tax_by_day.lines IS 'Lines of receipts that count.';
COMMENT ON COLUMN bi.tax_by_day.gross IS 'Amount with tax: net + tax; where nobody says the rate, net and tax are 0.';
COMMENT ON COLUMN bi.tax_by_day.net IS 'Amount without tax: for each receipt and rate rounded half away from zero to cents. 0 where nobody says the rate.';
COMMENT ON COLUMN bi.tax_by_day.tax IS 'gross - net; 0 where nobody says the rate.';
COMMENT ON COLUMN bi.tax_by_day.currency IS 'ISO 4217 code of all amounts of the row. Never add amounts of two currencies.';
COMMENT ON COLUMN bi.tax_by_day.complete_until IS 'Every receipt that reached the store''s database before this is in the figures. A ticket that was printed and whose file had not come by then is not. Null: not known yet. Over several stores take bi.chain_freshness, since min() leaves out nulls.';

-- terminal; Type: TABLE; Schema: org; Owner: tpv_owner
CREATE TABLE org.terminal (
    terminal_id uuid DEFAULT tpv.uuid7() NOT NULL,
    node_id integer NOT NULL,
    code text NOT NULL,
    kind text DEFAULT 'department'::text NOT NULL,
    department_code text,
    declares jsonb DEFAULT '{}'::jsonb NOT NULL,
    active boolean DEFAULT true NOT NULL,
    deleted boolean DEFAULT false NOT NULL,
    CONSTRAINT terminal_check CHECK (((kind = 'till'::text) OR (department_code IS NOT NULL))),
    CONSTRAINT terminal_code_check CHECK ((code ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$'::text)),
    CONSTRAINT terminal_kind_check CHECK ((kind = ANY (ARRAY['department'::text, 'till'::text])))
);
COMMENT ON TABLE org.terminal IS 'Terminals (scales, tills) that drop receipts as files, one inbox folder for each.';
COMMENT ON COLUMN org.terminal.terminal_id IS 'Key, generated where the terminal was registered.';
COMMENT ON COLUMN org.terminal.node_id IS 'The store''s node.';
COMMENT ON COLUMN org.terminal.code IS 'Code; the name of its inbox folder and the terminalId of its receipts.';
COMMENT ON COLUMN org.terminal.kind IS 'department: it issues the tickets of a department. till: it is where customers pay.';
COMMENT ON COLUMN org.terminal.department_code IS 'The department it belongs to; null for a till that belongs to none.';
COMMENT ON COLUMN org.terminal.declares IS 'What is special about its files: encoding, decimal_comma, price_decimals, numeric_barcode, timezone, total_tolerance_cents, ignore_keys, id_map.';
COMMENT ON COLUMN org.terminal.active IS 'An inactive terminal''s files are quarantined UNKNOWN_TERMINAL.';
COMMENT ON COLUMN org.terminal.deleted IS 'Whether it was deleted. Then its files are quarantined UNKNOWN_TERMINAL.';

-- terminal; Type: VIEW; Schema: bi; Owner: tpv_owner
CREATE VIEW bi.terminal AS
 SELECT DISTINCT ON (t.node_id, t.code) t.node_id,
    s.store,
    t.code AS terminal,
    t.kind,
    t.department_code AS department,
    (t.active AND (NOT t.deleted)) AS is_active
   FROM (org.terminal t
     JOIN bi.store s ON ((s.node_id = t.node_id)))
  ORDER BY t.node_id, t.code, t.deleted, t.terminal_id DESC;
COMMENT ON VIEW bi.terminal IS 'Dimension: terminals and tills. Grain: a store and a terminal. When each was last heard is in bi.terminal_freshness.';
COMMENT ON COLUMN bi.terminal.node_id IS 'Number of the store''s node: join views by it. A store code may be used for another store later, this number never is.';
COMMENT ON COLUMN bi.terminal.store IS 'Code of the store, such as S01.';
COMMENT ON COLUMN bi.terminal.terminal IS 'Code of the terminal.';
COMMENT ON COLUMN bi.terminal.kind IS 'department: it issues the tickets of a department. till: it is where customers pay.';
COMMENT ON COLUMN bi.terminal.department IS 'The department it belongs to; null for a till that belongs to none.';
COMMENT ON COLUMN bi.terminal.is_active IS 'Whether its files are taken in.';

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
COMMENT ON COLUMN sync.hash_chain.chain IS 'Its name, as in wire.doc.';
COMMENT ON COLUMN sync.hash_chain.head_seq IS 'chain_seq of the last document; 0 when there is none.';
COMMENT ON COLUMN sync.hash_chain.head_hash IS 'Link hash of the last document.';
COMMENT ON COLUMN sync.hash_chain.head_hlc IS 'hlc of the last document.';

-- terminal_freshness; Type: VIEW; Schema: bi; Owner: tpv_owner
CREATE VIEW bi.terminal_freshness AS
 SELECT t.node_id,
    t.store,
    t.department,
    t.terminal,
    t.is_active,
    to_timestamp(((((h.hlc >> 16))::numeric / 1000.0))::double precision) AS last_heard_at
   FROM (bi.terminal t
     LEFT JOIN ( SELECT c.node_id,
            split_part(c.chain, '~'::text, 1) AS terminal,
            max(c.hlc) AS hlc
           FROM ( SELECT o.node_id,
                    o.chain,
                    NULLIF(o.head_hlc, 0) AS hlc
                   FROM sync.hash_chain o
                UNION ALL
                 SELECT p.writer_id,
                    p.chain,
                    p.hlc
                   FROM sync.peer_chain p
                  WHERE (p.writer_id = p.node_id)) c
          WHERE ((c.chain <> ''::text) AND (c.chain !~ '>'::text))
          GROUP BY c.node_id, (split_part(c.chain, '~'::text, 1))) h ON (((h.node_id = t.node_id) AND (h.terminal = t.terminal))))
  WHERE (t.kind = 'department'::text);
COMMENT ON VIEW bi.terminal_freshness IS 'When each terminal was last heard. Grain: a store and a terminal. Tills are not here: they send no tickets.';
COMMENT ON COLUMN bi.terminal_freshness.node_id IS 'Number of the store''s node: join views by it. A store code may be used for another store later, this number never is.';
COMMENT ON COLUMN bi.terminal_freshness.store IS 'Code of the store, such as S01.';
COMMENT ON COLUMN bi.terminal_freshness.department IS 'The department it belongs to.';
COMMENT ON COLUMN bi.terminal_freshness.terminal IS 'Code of the terminal.';
COMMENT ON COLUMN bi.terminal_freshness.is_active IS 'Whether its files are taken in.';
COMMENT ON COLUMN bi.terminal_freshness.last_heard_at IS 'When the store''s database recorded the last receipt of this terminal: one that is on and sells nothing looks silent. At central as the store''s last heartbeat said, which may be ahead of the figures. Null when nothing was heard yet.';

-- terminal_success; Type: VIEW; Schema: bi; Owner: tpv_owner
CREATE VIEW bi.terminal_success AS
 SELECT d.node_id,
    s.store,
    d.business_date,
    d.terminal,
    d.taken_in,
        CASE
            WHEN (h.node_id IS NOT NULL) THEN d.not_taken_in
            ELSE NULL::bigint
        END AS not_taken_in,
        CASE
            WHEN (h.node_id IS NOT NULL) THEN round(((100.0 * (d.taken_in)::numeric) / (NULLIF((d.taken_in + d.not_taken_in), 0))::numeric), 2)
            ELSE NULL::numeric
        END AS success_percent,
    d.waited_seconds,
    round(((d.waited_seconds)::numeric / (NULLIF(d.taken_in, 0))::numeric), 1) AS waited_average_seconds,
    d.waited_most AS waited_most_seconds,
    u.complete_until
   FROM (((( SELECT a.node_id,
            a.business_date,
            a.terminal,
            sum(a.taken_in) AS taken_in,
            sum(a.not_taken_in) AS not_taken_in,
            (sum(a.waited_seconds))::bigint AS waited_seconds,
            max(a.waited_most) AS waited_most
           FROM ( SELECT t.node_id,
                    t.business_date,
                    t.terminal,
                    (((t.accepted + t.released) + t.held) + t.voided) AS taken_in,
                    0 AS not_taken_in,
                    t.waited_seconds,
                    t.waited_most
                   FROM rollup.terminal_day t
                UNION ALL
                 SELECT x.node_id,
                    x.business_date,
                    x.terminal,
                    0,
                    1,
                    0,
                    NULL::integer
                   FROM bi.rejected_file x
                  WHERE (x.code = ANY (ARRAY['NOT_A_RECEIPT'::text, 'NOT_STORABLE'::text, 'UNKNOWN_TERMINAL'::text]))) a
          GROUP BY a.node_id, a.business_date, a.terminal) d
     JOIN bi.store s ON ((s.node_id = d.node_id)))
     LEFT JOIN sync.this_node h ON ((h.node_id = d.node_id)))
     LEFT JOIN rollup.until u ON ((u.node_id = d.node_id)));
COMMENT ON VIEW bi.terminal_success IS 'The share of valid files that were taken in, and how long they waited. Grain: a store, a business day and a terminal. Files that still lie in an inbox are not known to a database: the metrics of the watcher have them. Repeats count once.';
COMMENT ON COLUMN bi.terminal_success.node_id IS 'Number of the store''s node: join views by it. A store code may be used for another store later, this number never is.';
COMMENT ON COLUMN bi.terminal_success.store IS 'Code of the store, such as S01.';
COMMENT ON COLUMN bi.terminal_success.business_date IS 'The business day, by the date on which it begins. It ends at the cut-off hour of the store on the next date.';
COMMENT ON COLUMN bi.terminal_success.terminal IS 'Code of the terminal.';
COMMENT ON COLUMN bi.terminal_success.taken_in IS 'Receipts that were taken in, in whatever state they are.';
COMMENT ON COLUMN bi.terminal_success.not_taken_in IS 'Files that were refused for no fault of the file: UNKNOWN_TERMINAL, NOT_STORABLE, NOT_A_RECEIPT (docs/codes.md). They count on the day they came, taken_in on its business day. One that was handed in again later counts in both. Null but in the store''s own database, which alone knows them.';
COMMENT ON COLUMN bi.terminal_success.success_percent IS 'taken_in of 100 valid files, that is taken_in + not_taken_in. Null but in the store''s own database.';
COMMENT ON COLUMN bi.terminal_success.waited_seconds IS 'Whole seconds from print to the store''s database, of all receipts together. A clock that is ahead counts as 0.';
COMMENT ON COLUMN bi.terminal_success.waited_average_seconds IS 'waited_seconds / taken_in. Over several rows divide the sums instead.';
COMMENT ON COLUMN bi.terminal_success.waited_most_seconds IS 'The longest of these, in seconds.';
COMMENT ON COLUMN bi.terminal_success.complete_until IS 'Every receipt that reached the store''s database before this is in the figures. A ticket that was printed and whose file had not come by then is not. Null: not known yet. Over several stores take bi.chain_freshness, since min() leaves out nulls.';

-- total_check; Type: VIEW; Schema: bi; Owner: tpv_owner
CREATE VIEW bi.total_check AS
 SELECT r.node_id,
    s.store,
    r.business_date,
    r.department,
    r.terminal,
    r.receipt_id,
    r.receipt_number,
    r.printed_at,
    r.state,
    r.total,
    r.lines_total,
    r.total_difference,
    ('ROUNDING'::text = ANY (r.flags)) AS is_rounding,
    s.currency
   FROM (sales.receipt r
     JOIN bi.store s ON ((s.node_id = r.node_id)))
  WHERE ((r.state = ANY (ARRAY['accepted'::text, 'released'::text])) AND (r.total_difference <> (0)::numeric));
COMMENT ON VIEW bi.total_check IS 'Receipts that the checkout charges otherwise than the slip says: it charges the lines. Grain: a receipt that counts. Filter by business_date.';
COMMENT ON COLUMN bi.total_check.node_id IS 'Number of the store''s node: join views by it. A store code may be used for another store later, this number never is.';
COMMENT ON COLUMN bi.total_check.store IS 'Code of the store, such as S01.';
COMMENT ON COLUMN bi.total_check.business_date IS 'The business day, by the date on which it begins. It ends at the cut-off hour of the store on the next date.';
COMMENT ON COLUMN bi.total_check.department IS 'Code of the department.';
COMMENT ON COLUMN bi.total_check.terminal IS 'Code of the terminal.';
COMMENT ON COLUMN bi.total_check.receipt_id IS 'Key of the receipt, together with node_id.';
COMMENT ON COLUMN bi.total_check.receipt_number IS 'Number as printed. It is unique for a terminal and day only.';
COMMENT ON COLUMN bi.total_check.printed_at IS 'The instant it was printed.';
COMMENT ON COLUMN bi.total_check.state IS 'accepted; held: waits for a person; released: was held, and a person let it count; voided, also the ticket that undid another.';
COMMENT ON COLUMN bi.total_check.total IS 'Printed total with tax: what the customer saw.';
COMMENT ON COLUMN bi.total_check.lines_total IS 'Sum of the lines with tax: what the checkout charges, and what sales count.';
COMMENT ON COLUMN bi.total_check.total_difference IS 'total - lines_total: what the slip says beyond its lines.';
COMMENT ON COLUMN bi.total_check.is_rounding IS 'Whether weighed lines or the tolerance of the terminal explain it. Else a person released the receipt as it is.';
COMMENT ON COLUMN bi.total_check.currency IS 'ISO 4217 code of all amounts of the row. Never add amounts of two currencies.';

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
    asked_by text DEFAULT sec.actor() NOT NULL,
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
COMMENT ON COLUMN dat.pending.why IS 'The reason that the operator gave. It names no customer.';
COMMENT ON COLUMN dat.pending.asked_at IS 'When it was decided.';
COMMENT ON COLUMN dat.pending.asked_by IS 'Who decided, by sec.actor().';
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
    saved_at timestamp with time zone NOT NULL,
    saved_by text NOT NULL,
    deleted boolean DEFAULT false NOT NULL
);
COMMENT ON TABLE dat.profile IS 'Layouts of .dat files. The newest version of a department''s own, else of the store''s, is used.';
COMMENT ON COLUMN dat.profile.profile_id IS 'Key.';
COMMENT ON COLUMN dat.profile.node_id IS 'The store.';
COMMENT ON COLUMN dat.profile.department_code IS 'The only department it is for; null for the whole store.';
COMMENT ON COLUMN dat.profile.version IS 'Counts up from 1 for each store and department.';
COMMENT ON COLUMN dat.profile.profile IS 'The layout, as tpv.dat_render reads it.';
COMMENT ON COLUMN dat.profile.saved_at IS 'When it was saved.';
COMMENT ON COLUMN dat.profile.saved_by IS 'Who saved it, by sec.actor().';
COMMENT ON COLUMN dat.profile.deleted IS 'Whether it was deleted. Then the version before is used, or the store''s. Rows are never removed.';

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

-- erasure; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.erasure (
    erasure_id bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    actor text DEFAULT sec.actor() NOT NULL,
    table_name text NOT NULL,
    key text NOT NULL,
    why text NOT NULL,
    CONSTRAINT erasure_why_check CHECK ((why <> ''::text))
);
COMMENT ON TABLE sync.erasure IS 'Rows that somebody at this node erased, with party.erase, and why. The reason holds no value of the row.';
COMMENT ON COLUMN sync.erasure.erasure_id IS 'Key.';
COMMENT ON COLUMN sync.erasure.at IS 'When.';
COMMENT ON COLUMN sync.erasure.actor IS 'Who did it, by sec.actor().';
COMMENT ON COLUMN sync.erasure.table_name IS 'The table.';
COMMENT ON COLUMN sync.erasure.key IS 'The key of the row.';
COMMENT ON COLUMN sync.erasure.why IS 'The reason. It names no person.';

-- erasure; Type: VIEW; Schema: journal; Owner: tpv_owner
CREATE VIEW journal.erasure WITH (security_barrier='true') AS
 SELECT erasure.erasure_id,
    erasure.at,
    erasure.actor,
    erasure.table_name,
    erasure.key,
    erasure.why
   FROM sync.erasure
  WHERE (NOT starts_with(erasure.table_name, 'sec.'::text));
COMMENT ON VIEW journal.erasure IS 'Rows that were erased at this node, sync.erasure, as operators read them.';
COMMENT ON COLUMN journal.erasure.erasure_id IS 'Key.';
COMMENT ON COLUMN journal.erasure.at IS 'When.';
COMMENT ON COLUMN journal.erasure.actor IS 'Who did it, by sec.actor().';
COMMENT ON COLUMN journal.erasure.table_name IS 'The table.';
COMMENT ON COLUMN journal.erasure.key IS 'The key of the row.';
COMMENT ON COLUMN journal.erasure.why IS 'The reason. It names no person.';

-- head; Type: VIEW; Schema: journal; Owner: tpv_owner
CREATE VIEW journal.head WITH (security_barrier='true') AS
 SELECT head.table_name,
    head.key,
    head.heads,
    head.waits,
    head.contested
   FROM sync.head
  WHERE (NOT starts_with(head.table_name, 'sec.'::text));
COMMENT ON VIEW journal.head IS 'The heads of each row, sync.head, as operators read them.';
COMMENT ON COLUMN journal.head.table_name IS 'The table.';
COMMENT ON COLUMN journal.head.key IS 'The key of the row.';
COMMENT ON COLUMN journal.head.heads IS 'JSON: column to [[node, seq, hlc, value], ...].';
COMMENT ON COLUMN journal.head.waits IS 'Whether the operation that created the row is still missing here. Until it arrives no row is written.';
COMMENT ON COLUMN journal.head.contested IS 'Whether a column has several heads. When its policy changes, one of them is chosen again.';

-- loosening; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.loosening (
    loosening_id bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    actor text DEFAULT sec.actor() NOT NULL,
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
COMMENT ON COLUMN sync.loosening.actor IS 'Who did it, by sec.actor().';
COMMENT ON COLUMN sync.loosening.table_name IS 'The table.';
COMMENT ON COLUMN sync.loosening.key IS 'The key of the row.';
COMMENT ON COLUMN sync.loosening.column_name IS 'The column.';
COMMENT ON COLUMN sync.loosening.value IS 'The value that it was set to.';
COMMENT ON COLUMN sync.loosening.why IS 'The reason. It names no person.';
COMMENT ON COLUMN sync.loosening.xact IS 'The transaction in which this is allowed.';

-- loosening; Type: VIEW; Schema: journal; Owner: tpv_owner
CREATE VIEW journal.loosening WITH (security_barrier='true') AS
 SELECT loosening.loosening_id,
    loosening.at,
    loosening.actor,
    loosening.table_name,
    loosening.key,
    loosening.column_name,
    loosening.value,
    loosening.why,
    loosening.xact
   FROM sync.loosening
  WHERE (NOT starts_with(loosening.table_name, 'sec.'::text));
COMMENT ON VIEW journal.loosening IS 'Each use of sync.loosen at this node, sync.loosening, as operators read them.';
COMMENT ON COLUMN journal.loosening.loosening_id IS 'Key.';
COMMENT ON COLUMN journal.loosening.at IS 'When.';
COMMENT ON COLUMN journal.loosening.actor IS 'Who did it, by sec.actor().';
COMMENT ON COLUMN journal.loosening.table_name IS 'The table.';
COMMENT ON COLUMN journal.loosening.key IS 'The key of the row.';
COMMENT ON COLUMN journal.loosening.column_name IS 'The column.';
COMMENT ON COLUMN journal.loosening.value IS 'The value that it was set to.';
COMMENT ON COLUMN journal.loosening.why IS 'The reason. It names no person.';
COMMENT ON COLUMN journal.loosening.xact IS 'The transaction in which this is allowed.';

-- operation; Type: VIEW; Schema: journal; Owner: tpv_owner
CREATE VIEW journal.operation WITH (security_barrier='true') AS
 SELECT op.node_id,
    op.seq,
    op.hlc,
    op.table_name,
    op.key,
    op.patch,
    op.base
   FROM wire.op
  WHERE (NOT starts_with(op.table_name, 'sec.'::text));
COMMENT ON VIEW journal.operation IS 'Operations, wire.op, as operators read them.';
COMMENT ON COLUMN journal.operation.node_id IS 'The node that decided.';
COMMENT ON COLUMN journal.operation.seq IS 'Counts that node''s operations in commit order, without gaps.';
COMMENT ON COLUMN journal.operation.hlc IS 'When, as in wire.doc. It orders only operations that were concurrent.';
COMMENT ON COLUMN journal.operation.table_name IS 'The table, such as party.customer.';
COMMENT ON COLUMN journal.operation.key IS 'The key of the row, as text.';
COMMENT ON COLUMN journal.operation.patch IS 'Canonical JSON: the columns and groups that changed, with their values. @exists says whether the row exists.';
COMMENT ON COLUMN journal.operation.base IS 'Canonical JSON: for each of them the versions [node, seq] that the writer saw.';

-- quarantine; Type: VIEW; Schema: journal; Owner: tpv_owner
CREATE VIEW journal.quarantine WITH (security_barrier='true') AS
 SELECT q.quarantine_id,
    q.at,
    q.node_id,
    q.doc_id,
    q.business_date,
    q.kind,
    q.code,
        CASE
            WHEN starts_with(q.kind, 'sec.'::text) THEN 'it is about a table of schema sec'::text
            ELSE q.detail
        END AS detail,
    q.resolved_at,
    q.seq,
    q.key,
    q.entire,
    q.tries,
    q.try_at,
        CASE
            WHEN ((NOT starts_with(q.kind, 'sec.'::text)) AND (NOT starts_with(q.kind, 'resend '::text))) THEN q.refused
            ELSE NULL::jsonb
        END AS refused
   FROM sync.quarantine q;
COMMENT ON VIEW journal.quarantine IS 'What waits or was refused, sync.quarantine, as operators read it. Of rows of schema sec the detail and the row are left out; of what was sent again, the row.';
COMMENT ON COLUMN journal.quarantine.quarantine_id IS 'Key.';
COMMENT ON COLUMN journal.quarantine.at IS 'When it was last tried.';
COMMENT ON COLUMN journal.quarantine.node_id IS 'The node that wrote it.';
COMMENT ON COLUMN journal.quarantine.doc_id IS 'The document, where it is one.';
COMMENT ON COLUMN journal.quarantine.business_date IS 'Its business date.';
COMMENT ON COLUMN journal.quarantine.kind IS 'The kind of a document; the table of an operation.';
COMMENT ON COLUMN journal.quarantine.code IS 'A stable code such as UNKNOWN_KIND, BAD_HASH or FORGED_SENDER, or the SQLSTATE that stopped it.';
COMMENT ON COLUMN journal.quarantine.detail IS 'A sentence.';
COMMENT ON COLUMN journal.quarantine.resolved_at IS 'When it was done after all, or dismissed; null while it waits.';
COMMENT ON COLUMN journal.quarantine.seq IS 'The number of the operation, where it is one.';
COMMENT ON COLUMN journal.quarantine.key IS 'The key of the row that the operation is about.';
COMMENT ON COLUMN journal.quarantine.entire IS 'Whether the whole row waits under the number of that operation, and not only the columns that it wrote.';
COMMENT ON COLUMN journal.quarantine.tries IS 'How often it was tried again in vain.';
COMMENT ON COLUMN journal.quarantine.try_at IS 'When it is tried again, at the earliest. Pauses grow to a quarter of an hour.';
COMMENT ON COLUMN journal.quarantine.refused IS 'The row itself, where it was refused and not stored.';

-- resolution; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.resolution (
    resolution_id bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    actor text DEFAULT sec.actor() NOT NULL,
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
COMMENT ON COLUMN sync.resolution.actor IS 'Who did it, by sec.actor().';
COMMENT ON COLUMN sync.resolution.table_name IS 'The table.';
COMMENT ON COLUMN sync.resolution.key IS 'Its key.';
COMMENT ON COLUMN sync.resolution.column_name IS 'The column, the group, or the element of a set.';
COMMENT ON COLUMN sync.resolution.node_id IS 'The node that had written the value.';
COMMENT ON COLUMN sync.resolution.seq IS 'The number of its operation.';
COMMENT ON COLUMN sync.resolution.value IS 'The value.';

-- resolution; Type: VIEW; Schema: journal; Owner: tpv_owner
CREATE VIEW journal.resolution WITH (security_barrier='true') AS
 SELECT resolution.resolution_id,
    resolution.at,
    resolution.actor,
    resolution.table_name,
    resolution.key,
    resolution.column_name,
    resolution.node_id,
    resolution.seq,
    resolution.value
   FROM sync.resolution
  WHERE (NOT starts_with(resolution.table_name, 'sec.'::text));
COMMENT ON VIEW journal.resolution IS 'Conflicts that a person resolved at this node, sync.resolution, as operators read them.';
COMMENT ON COLUMN journal.resolution.resolution_id IS 'Key.';
COMMENT ON COLUMN journal.resolution.at IS 'When.';
COMMENT ON COLUMN journal.resolution.actor IS 'Who did it, by sec.actor().';
COMMENT ON COLUMN journal.resolution.table_name IS 'The table.';
COMMENT ON COLUMN journal.resolution.key IS 'Its key.';
COMMENT ON COLUMN journal.resolution.column_name IS 'The column, the group, or the element of a set.';
COMMENT ON COLUMN journal.resolution.node_id IS 'The node that had written the value.';
COMMENT ON COLUMN journal.resolution.seq IS 'The number of its operation.';
COMMENT ON COLUMN journal.resolution.value IS 'The value.';

-- set_aside; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.set_aside (
    set_aside_id bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    table_name text NOT NULL,
    key text NOT NULL,
    column_name text NOT NULL,
    seq bigint NOT NULL,
    hlc bigint NOT NULL,
    value text NOT NULL
);
COMMENT ON TABLE sync.set_aside IS 'What this store wrote in tables that central decides while it was alone: before it joined, or after it had left. It left the rows when the snapshot of central arrived. A row of which nothing was left is deleted.';
COMMENT ON COLUMN sync.set_aside.set_aside_id IS 'Key.';
COMMENT ON COLUMN sync.set_aside.at IS 'When it was set aside.';
COMMENT ON COLUMN sync.set_aside.table_name IS 'The table.';
COMMENT ON COLUMN sync.set_aside.key IS 'The key of the row.';
COMMENT ON COLUMN sync.set_aside.column_name IS 'The column, the group, or the element of a set.';
COMMENT ON COLUMN sync.set_aside.seq IS 'The number of this node''s operation.';
COMMENT ON COLUMN sync.set_aside.hlc IS 'When it was written.';
COMMENT ON COLUMN sync.set_aside.value IS 'JSON: the value.';

-- set_aside; Type: VIEW; Schema: journal; Owner: tpv_owner
CREATE VIEW journal.set_aside WITH (security_barrier='true') AS
 SELECT set_aside.set_aside_id,
    set_aside.at,
    set_aside.table_name,
    set_aside.key,
    set_aside.column_name,
    set_aside.seq,
    set_aside.hlc,
    set_aside.value
   FROM sync.set_aside
  WHERE (NOT starts_with(set_aside.table_name, 'sec.'::text));
COMMENT ON VIEW journal.set_aside IS 'What this store wrote of central''s tables while it was alone, sync.set_aside, as operators read it.';
COMMENT ON COLUMN journal.set_aside.set_aside_id IS 'Key.';
COMMENT ON COLUMN journal.set_aside.at IS 'When it was set aside.';
COMMENT ON COLUMN journal.set_aside.table_name IS 'The table.';
COMMENT ON COLUMN journal.set_aside.key IS 'The key of the row.';
COMMENT ON COLUMN journal.set_aside.column_name IS 'The column, the group, or the element of a set.';
COMMENT ON COLUMN journal.set_aside.seq IS 'The number of this node''s operation.';
COMMENT ON COLUMN journal.set_aside.hlc IS 'When it was written.';
COMMENT ON COLUMN journal.set_aside.value IS 'JSON: the value.';

-- sibling; Type: VIEW; Schema: journal; Owner: tpv_owner
CREATE VIEW journal.sibling WITH (security_barrier='true') AS
 SELECT sibling.table_name,
    sibling.key,
    sibling.column_name,
    sibling.node_id,
    sibling.seq,
    sibling.hlc,
    sibling.value,
    sibling.chosen,
    sibling.review,
    sibling.found_at
   FROM sync.sibling
  WHERE (NOT starts_with(sibling.table_name, 'sec.'::text));
COMMENT ON VIEW journal.sibling IS 'Open conflicts, sync.sibling, as operators read them. sync.resolve_conflict decides one.';
COMMENT ON COLUMN journal.sibling.table_name IS 'The table.';
COMMENT ON COLUMN journal.sibling.key IS 'The key of the row.';
COMMENT ON COLUMN journal.sibling.column_name IS 'The column, or the group.';
COMMENT ON COLUMN journal.sibling.node_id IS 'The node that wrote this value.';
COMMENT ON COLUMN journal.sibling.seq IS 'The number of its operation.';
COMMENT ON COLUMN journal.sibling.hlc IS 'When it was written.';
COMMENT ON COLUMN journal.sibling.value IS 'The value.';
COMMENT ON COLUMN journal.sibling.chosen IS 'Whether the row has this value.';
COMMENT ON COLUMN journal.sibling.review IS 'Whether a person should look at it.';
COMMENT ON COLUMN journal.sibling.found_at IS 'When this node noticed.';

-- audit; Type: TABLE; Schema: sec; Owner: tpv_owner
CREATE TABLE sec.audit (
    audit_id bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    event text NOT NULL,
    subject text NOT NULL,
    actor text DEFAULT sec.actor() NOT NULL,
    detail text DEFAULT ''::text NOT NULL
);
COMMENT ON TABLE sec.audit IS 'Security events: files of unknown terminals, rows of senders that may not send them, who was given or lost a role.';
COMMENT ON COLUMN sec.audit.audit_id IS 'Key.';
COMMENT ON COLUMN sec.audit.at IS 'When.';
COMMENT ON COLUMN sec.audit.event IS 'What happened, as a stable code: UNKNOWN_TERMINAL, FORGED_SENDER, ROLE_GRANTED …';
COMMENT ON COLUMN sec.audit.subject IS 'What it is about: a terminal, a document.';
COMMENT ON COLUMN sec.audit.actor IS 'Who acted, by sec.actor().';
COMMENT ON COLUMN sec.audit.detail IS 'A sentence.';

-- audit; Type: VIEW; Schema: own; Owner: tpv_owner
CREATE VIEW own.audit WITH (security_barrier='true') AS
 SELECT v.audit_id,
    v.at,
    v.event,
    v.subject,
    v.actor,
    v.detail
   FROM ( SELECT a.audit_id,
            a.at,
            a.event,
            a.subject,
            a.actor,
            a.detail
           FROM sec.audit a
          WHERE tpv.may_see(( SELECT t.node_id
                   FROM sync.this_node t), NULL::text, NULL::date)) v
  WHERE (tpv.acting_role() = ANY ('{admin,auditor,manager}'::text[]))
  ORDER BY v.audit_id DESC;
COMMENT ON VIEW own.audit IS 'Security events of this node.';
COMMENT ON COLUMN own.audit.audit_id IS 'Key.';
COMMENT ON COLUMN own.audit.at IS 'When.';
COMMENT ON COLUMN own.audit.event IS 'What happened, as a stable code: UNKNOWN_TERMINAL, FORGED_SENDER, ROLE_GRANTED …';
COMMENT ON COLUMN own.audit.subject IS 'What it is about: a terminal, a document.';
COMMENT ON COLUMN own.audit.actor IS 'Who acted, by sec.actor().';
COMMENT ON COLUMN own.audit.detail IS 'A sentence.';

-- barcode; Type: VIEW; Schema: own; Owner: tpv_owner
CREATE VIEW own.barcode WITH (security_barrier='true') AS
 SELECT v.barcode_id,
    v.gtin14,
    v.product_id,
    v.etag
   FROM ( SELECT b.barcode_id,
            b.gtin14,
            b.product_id,
            ( SELECT md5(h.heads) AS md5
                   FROM sync.head h
                  WHERE ((h.table_name = 'catalog.barcode'::text) AND (h.key = (b.barcode_id)::text))) AS etag
           FROM catalog.barcode b
          WHERE (NOT b.deleted)) v
  WHERE (tpv.acting_role() = ANY ('{admin,auditor,cashier,concessionaire,manager,supervisor}'::text[]))
  ORDER BY v.gtin14;
COMMENT ON VIEW own.barcode IS 'Which product a barcode is.';
COMMENT ON COLUMN own.barcode.barcode_id IS 'Key.';
COMMENT ON COLUMN own.barcode.gtin14 IS 'The GTIN in its 14-digit form.';
COMMENT ON COLUMN own.barcode.product_id IS 'The product.';
COMMENT ON COLUMN own.barcode.etag IS 'The version of the row: it changes with each change. Functions that change a row want it.';

-- customer; Type: VIEW; Schema: own; Owner: tpv_owner
CREATE VIEW own.customer WITH (security_barrier='true') AS
 SELECT v.customer_id,
    v.name,
    v.email,
    v.phone,
    v.street,
    v.postcode,
    v.city,
    v.country,
    v.tags,
    v.consent,
    v.credit_limit,
    v.home_node_id,
    v.alias_of,
    v.name_key,
    v.email_key,
    v.phone_key,
    v.conflicts,
    v.etag
   FROM ( SELECT c.customer_id,
            c.name,
            c.email,
            c.phone,
            c.street,
            c.postcode,
            c.city,
            c.country,
            c.tags,
            c.consent,
            c.credit_limit,
            c.home_node_id,
            c.alias_of,
            ("left"(lower(c.name), 100) COLLATE "C") AS name_key,
            "left"(lower(c.email), 300) AS email_key,
            "left"(c.phone, 40) AS phone_key,
            ( SELECT (count(DISTINCT s.column_name))::integer AS count
                   FROM sync.sibling s
                  WHERE ((s.table_name = 'party.customer'::text) AND (s.key = (c.customer_id)::text))) AS conflicts,
            ( SELECT md5(h.heads) AS md5
                   FROM sync.head h
                  WHERE ((h.table_name = 'party.customer'::text) AND (h.key = (c.customer_id)::text))) AS etag
           FROM party.customer c
          WHERE (NOT c.deleted)) v
  WHERE (tpv.acting_role() = ANY ('{auditor,cashier,manager,supervisor}'::text[]))
  ORDER BY v.name_key, v.customer_id;
COMMENT ON VIEW own.customer IS 'Customers of the chain.';
COMMENT ON COLUMN own.customer.customer_id IS 'Key, generated where the customer was first registered.';
COMMENT ON COLUMN own.customer.name IS 'Name.';
COMMENT ON COLUMN own.customer.email IS 'E-mail address; two customers with one are duplicates.';
COMMENT ON COLUMN own.customer.phone IS 'Telephone.';
COMMENT ON COLUMN own.customer.street IS 'Street and number; the address is one group.';
COMMENT ON COLUMN own.customer.postcode IS 'Postal code.';
COMMENT ON COLUMN own.customer.city IS 'City.';
COMMENT ON COLUMN own.customer.country IS 'ISO 3166 code.';
COMMENT ON COLUMN own.customer.tags IS 'A set of words, as a sorted JSON array. Each word is added and removed by itself.';
COMMENT ON COLUMN own.customer.consent IS 'What the customer allows: none, email, all. Of two the stricter holds, and only sync.loosen makes it looser.';
COMMENT ON COLUMN own.customer.credit_limit IS 'How much may be owed.';
COMMENT ON COLUMN own.customer.home_node_id IS 'The node that owns the row: the one that inserted it, unless the insert named another. It does not change.';
COMMENT ON COLUMN own.customer.alias_of IS 'The row that this one duplicates; null for a row that is no alias. sync.make_alias sets it.';
COMMENT ON COLUMN own.customer.name_key IS 'The first 100 characters of the name in lower case: what lists are in the order of, and search.';
COMMENT ON COLUMN own.customer.email_key IS 'The first 300 characters of the e-mail address in lower case.';
COMMENT ON COLUMN own.customer.phone_key IS 'The first 40 characters of the telephone.';
COMMENT ON COLUMN own.customer.conflicts IS 'How many of its columns were written by two nodes at once: own.sibling.';
COMMENT ON COLUMN own.customer.etag IS 'The version of the row: it changes with each change. Functions that change a row want it.';

-- dat_file; Type: VIEW; Schema: own; Owner: tpv_owner
CREATE VIEW own.dat_file WITH (security_barrier='true') AS
 SELECT v.node_id,
    v.receipt_id,
    v.folder,
    v.name,
    v.bytes,
    v.sha256,
    v.state
   FROM ( SELECT f.node_id,
            f.receipt_id,
            f.folder,
            f.name,
            f.bytes,
            f.sha256,
                CASE
                    WHEN (f.withdrawn_at IS NOT NULL) THEN 'withdrawn'::text
                    WHEN (EXISTS ( SELECT
                       FROM dat.pending p
                      WHERE ((p.receipt_id = f.receipt_id) AND (p.done_at IS NULL)))) THEN 'pending'::text
                    ELSE 'published'::text
                END AS state
           FROM (dat.file f
             JOIN sales.receipt r ON (((r.node_id = f.node_id) AND (r.receipt_id = f.receipt_id))))
          WHERE tpv.may_see(r.node_id, r.department, r.business_date)) v
  WHERE (tpv.acting_role() = ANY ('{auditor,cashier,concessionaire,manager,supervisor}'::text[]))
  ORDER BY v.node_id, v.receipt_id;
COMMENT ON VIEW own.dat_file IS 'The .dat files of receipts, at their own store.';
COMMENT ON COLUMN own.dat_file.node_id IS 'The node: the store that it is about.';
COMMENT ON COLUMN own.dat_file.receipt_id IS 'The receipt.';
COMMENT ON COLUMN own.dat_file.folder IS 'Folder below out/.';
COMMENT ON COLUMN own.dat_file.name IS 'Name of the file.';
COMMENT ON COLUMN own.dat_file.bytes IS 'Its content.';
COMMENT ON COLUMN own.dat_file.sha256 IS 'SHA-256 of its content.';
COMMENT ON COLUMN own.dat_file.state IS 'published, pending (the watcher is about to write it or to take it away), withdrawn.';

-- department; Type: VIEW; Schema: own; Owner: tpv_owner
CREATE VIEW own.department WITH (security_barrier='true') AS
 SELECT v.department_id,
    v.node_id,
    v.code,
    v.name,
    v.concessionaire,
    v.tax_id,
    v.etag
   FROM ( SELECT d.department_id,
            d.node_id,
            d.code,
            d.name,
            l.name AS concessionaire,
            d.tax_id,
            ( SELECT md5(h.heads) AS md5
                   FROM sync.head h
                  WHERE ((h.table_name = 'org.department'::text) AND (h.key = (d.department_id)::text))) AS etag
           FROM (org.department d
             LEFT JOIN org.legal_entity l ON (((l.legal_entity_id = d.legal_entity_id) AND (NOT l.deleted))))
          WHERE ((NOT d.deleted) AND tpv.may_see(d.node_id, d.code, NULL::date))) v
  WHERE (tpv.acting_role() = ANY ('{admin,auditor,cashier,concessionaire,manager,supervisor}'::text[]))
  ORDER BY v.node_id, v.code;
COMMENT ON VIEW own.department IS 'Departments.';
COMMENT ON COLUMN own.department.department_id IS 'Key, generated where the department was registered.';
COMMENT ON COLUMN own.department.node_id IS 'The node: the store that it is about.';
COMMENT ON COLUMN own.department.code IS 'Code that its receipts carry in departmentCode.';
COMMENT ON COLUMN own.department.name IS 'Name for people.';
COMMENT ON COLUMN own.department.concessionaire IS 'Registered name of whoever leases it; null for the store itself.';
COMMENT ON COLUMN own.department.tax_id IS 'The tax of what is sold there, where neither the receipt nor the product says one.';
COMMENT ON COLUMN own.department.etag IS 'The version of the row: it changes with each change. Functions that change a row want it.';

-- drift; Type: VIEW; Schema: own; Owner: tpv_owner
CREATE VIEW own.drift WITH (security_barrier='true') AS
 SELECT v.drift_id,
    v.found_at,
    v.node_id,
    v.what,
    v.subject,
    v.detail,
    v.resolved_at
   FROM ( SELECT d.drift_id,
            d.found_at,
            d.node_id,
            d.what,
            d.subject,
            d.detail,
            d.resolved_at
           FROM sync.drift d
          WHERE (tpv.may_see(d.node_id, NULL::text, NULL::date) OR tpv.may_see(( SELECT t.node_id
                   FROM sync.this_node t), NULL::text, NULL::date))) v
  WHERE (tpv.acting_role() = ANY ('{admin,auditor,manager}'::text[]))
  ORDER BY v.drift_id DESC;
COMMENT ON VIEW own.drift IS 'What a peer has and this node has not.';
COMMENT ON COLUMN own.drift.drift_id IS 'Key.';
COMMENT ON COLUMN own.drift.found_at IS 'When it was found.';
COMMENT ON COLUMN own.drift.node_id IS 'The peer.';
COMMENT ON COLUMN own.drift.what IS 'operations or hash_chain: rows are missing and are requested. broken: a hash chain does not link; a person has to look. restored: this node has lost operations of its own that the peer has; a snapshot is requested.';
COMMENT ON COLUMN own.drift.subject IS 'The node whose operations they are, or the hash chain as the peer calls it: sync.peer_chain.name.';
COMMENT ON COLUMN own.drift.detail IS 'A sentence.';
COMMENT ON COLUMN own.drift.resolved_at IS 'When they were here, or the difference was accepted; null while it is open.';

-- employee; Type: VIEW; Schema: own; Owner: tpv_owner
CREATE VIEW own.employee WITH (security_barrier='true') AS
 SELECT v.employee_id,
    v.code,
    v.name,
    v.active,
    v.blocked,
    v.etag,
    v.has_password
   FROM ( SELECT e.employee_id,
            e.code,
            e.name,
            e.active,
            (EXISTS ( SELECT
                   FROM sec.block b
                  WHERE (b.employee_id = e.employee_id))) AS blocked,
            ( SELECT md5(h.heads) AS md5
                   FROM sync.head h
                  WHERE ((h.table_name = 'party.employee'::text) AND (h.key = (e.employee_id)::text))) AS etag,
            ((EXISTS ( SELECT
                   FROM sec.password p
                  WHERE (p.employee_id = e.employee_id))) OR (EXISTS ( SELECT
                   FROM sec.verifier v_1
                  WHERE ((v_1.employee_id = e.employee_id) AND (NOT v_1.deleted))))) AS has_password
           FROM party.employee e
          WHERE ((NOT e.deleted) AND (tpv.may_see_node(NULL::integer) OR (EXISTS ( SELECT
                   FROM sec.role_grant g
                  WHERE ((g.employee_id = e.employee_id) AND (NOT g.deleted) AND tpv.may_see(g.node_id, g.department_code, NULL::date))))))) v
  WHERE (tpv.acting_role() = ANY ('{admin,auditor,manager}'::text[]))
  ORDER BY v.code;
COMMENT ON VIEW own.employee IS 'Employees who have a role where whoever asks may look.';
COMMENT ON COLUMN own.employee.employee_id IS 'Key. It is what records and documents say of whoever acted, as employee:<uuid>.';
COMMENT ON COLUMN own.employee.code IS 'What she logs in with.';
COMMENT ON COLUMN own.employee.name IS 'Name.';
COMMENT ON COLUMN own.employee.active IS 'Whether she may log in.';
COMMENT ON COLUMN own.employee.blocked IS 'Whether somebody keeps her out at this node, whatever central says.';
COMMENT ON COLUMN own.employee.etag IS 'The version of the row: it changes with each change. Functions that change a row want it.';
COMMENT ON COLUMN own.employee.has_password IS 'Whether a password was set.';

-- local_code; Type: VIEW; Schema: own; Owner: tpv_owner
CREATE VIEW own.local_code WITH (security_barrier='true') AS
 SELECT v.local_code_id,
    v.node_id,
    v.department_code,
    v.code,
    v.product_id,
    v.etag
   FROM ( SELECT c.local_code_id,
            c.node_id,
            c.department_code,
            c.code,
            c.product_id,
            ( SELECT md5(h.heads) AS md5
                   FROM sync.head h
                  WHERE ((h.table_name = 'catalog.local_code'::text) AND (h.key = (c.local_code_id)::text))) AS etag
           FROM catalog.local_code c
          WHERE ((NOT c.deleted) AND
                CASE
                    WHEN (c.department_code IS NOT NULL) THEN tpv.may_see(c.node_id, c.department_code, NULL::date)
                    ELSE ((c.node_id IS NULL) OR tpv.may_see_node(c.node_id))
                END)) v
  WHERE (tpv.acting_role() = ANY ('{admin,auditor,cashier,concessionaire,manager,supervisor}'::text[]))
  ORDER BY v.code, v.local_code_id;
COMMENT ON VIEW own.local_code IS 'Which product a code is that is no GTIN.';
COMMENT ON COLUMN own.local_code.local_code_id IS 'Key.';
COMMENT ON COLUMN own.local_code.node_id IS 'The only store it holds in; null for all.';
COMMENT ON COLUMN own.local_code.department_code IS 'The only department of that store it holds in; null for all.';
COMMENT ON COLUMN own.local_code.code IS 'The code as it is keyed in or printed, with its zeros.';
COMMENT ON COLUMN own.local_code.product_id IS 'The product.';
COMMENT ON COLUMN own.local_code.etag IS 'The version of the row: it changes with each change. Functions that change a row want it.';

-- permission; Type: TABLE; Schema: sec; Owner: tpv_owner
CREATE TABLE sec.permission (
    role text NOT NULL,
    permission text NOT NULL,
    CONSTRAINT permission_permission_check CHECK ((permission ~ '^[a-z]+\.[a-z]+$'::text))
);
COMMENT ON TABLE sec.permission IS 'What each role may. The views and functions of schema own, the gateway and its page follow it.';
COMMENT ON COLUMN sec.permission.role IS 'The role.';
COMMENT ON COLUMN sec.permission.permission IS 'What it may, such as receipt.release.';

-- me; Type: VIEW; Schema: own; Owner: tpv_owner
CREATE VIEW own.me WITH (security_barrier='true') AS
 SELECT v.employee_id,
    v.code,
    v.name,
    v.role,
    v.permissions,
    v.scope
   FROM ( SELECT e.employee_id,
            e.code,
            e.name,
            tpv.acting_role() AS role,
            ARRAY( SELECT p.permission
                   FROM sec.permission p
                  WHERE (p.role = tpv.acting_role())
                  ORDER BY p.permission) AS permissions,
            tpv.acting_scope() AS scope
           FROM (( VALUES (true)) one("row")
             LEFT JOIN party.employee e ON ((e.employee_id = tpv.acting_employee())))) v
  WHERE (tpv.acting_role() = ANY ('{admin,auditor,cashier,concessionaire,manager,supervisor}'::text[]));
COMMENT ON VIEW own.me IS 'Who asks, and what she may here: one row.';
COMMENT ON COLUMN own.me.employee_id IS 'Key. It is what records and documents say of whoever acted, as employee:<uuid>.';
COMMENT ON COLUMN own.me.code IS 'What she logs in with.';
COMMENT ON COLUMN own.me.name IS 'Name.';
COMMENT ON COLUMN own.me.role IS 'The role in which she acts.';
COMMENT ON COLUMN own.me.permissions IS 'What the role may, as in sec.permission.';
COMMENT ON COLUMN own.me.scope IS 'Where: an array of {node, department, from, to}; what is null limits nothing.';

-- node; Type: VIEW; Schema: own; Owner: tpv_owner
CREATE VIEW own.node WITH (security_barrier='true') AS
 SELECT v.node_id,
    v.node,
    v.direction,
    v.state,
    v.lag_bytes,
    v.lag_operations,
    v.silent_for_s,
    v.received_until,
    v.verified_until,
    v.held,
    v.quarantined,
    v.drift,
    v.version,
    v.advice
   FROM ( SELECT s.node_id,
            s.node,
            s.direction,
            s.state,
            s.lag_bytes,
            s.lag_operations,
            s.silent_for_s,
            s.received_until,
            s.verified_until,
            s.held,
            s.quarantined,
            s.drift,
            s.version,
            s.advice
           FROM sync.chain_state() s(node_id, node, direction, state, lag_bytes, lag_operations, silent_for_s, received_until, verified_until, held, quarantined, drift, version, advice)
          WHERE (tpv.may_see(s.node_id, NULL::text, NULL::date) OR tpv.may_see(( SELECT t.node_id
                   FROM sync.this_node t), NULL::text, NULL::date))) v
  WHERE (tpv.acting_role() = ANY ('{admin,auditor,manager}'::text[]))
  ORDER BY v.node, v.direction;
COMMENT ON VIEW own.node IS 'This node, and each node that it exchanges rows with, with what to do.';
COMMENT ON COLUMN own.node.node_id IS 'The node: the store that it is about.';
COMMENT ON COLUMN own.node.node IS 'The node.';
COMMENT ON COLUMN own.node.direction IS 'here: this node. receives, sends: as in sync.status.';
COMMENT ON COLUMN own.node.state IS 'running, or what it is instead: disabled, slot lost, copying …';
COMMENT ON COLUMN own.node.lag_bytes IS 'WAL that the peer has not confirmed.';
COMMENT ON COLUMN own.node.lag_operations IS 'Operations that the sender had and the receiver lacked at the peer''s last heartbeat.';
COMMENT ON COLUMN own.node.silent_for_s IS 'Seconds since its last heartbeat; of this node null.';
COMMENT ON COLUMN own.node.received_until IS 'Everything that the peer recorded before this moment is here. Does not move while rows may be missing.';
COMMENT ON COLUMN own.node.verified_until IS 'Everything that the peer recorded before this moment is here, and was compared with what it reports.';
COMMENT ON COLUMN own.node.held IS 'Receipts of that node that wait for a person.';
COMMENT ON COLUMN own.node.quarantined IS 'Its rows that wait in quarantine.';
COMMENT ON COLUMN own.node.drift IS 'Differences from it that are not resolved: see sync.drift.';
COMMENT ON COLUMN own.node.version IS 'Version of its extension.';
COMMENT ON COLUMN own.node.advice IS 'What to do, in words.';

-- pending_revocation; Type: VIEW; Schema: own; Owner: tpv_owner
CREATE VIEW own.pending_revocation WITH (security_barrier='true') AS
 SELECT v.employee_id,
    v.code,
    v.store,
    v.since,
    v.last_heard_at
   FROM ( SELECT p.employee_id,
            p.code,
            p.store,
            p.since,
            p.last_heard_at
           FROM (( WITH counted AS (
                         SELECT e.employee_id,
                            e.code,
                            r.register,
                            ((v_1.version ->> 0))::integer AS writer_id,
                            ((v_1.version ->> 1))::bigint AS seq,
                            ((v_1.version ->> 2))::bigint AS hlc
                           FROM (((party.employee e
                             JOIN sync.head h ON (((h.table_name = 'party.employee'::text) AND (h.key = (e.employee_id)::text))))
                             CROSS JOIN LATERAL ( VALUES ('authz'::text), ('code'::text)) r(register))
                             CROSS JOIN LATERAL json_array_elements(((h.heads)::json -> r.register)) v_1(version))
                        ), known AS (
                         SELECT c.employee_id,
                            c.code,
                            c.register,
                            c.writer_id,
                            c.seq,
                            c.hlc,
                            p_1.node_id,
                            p_1.beat_at,
                            (COALESCE(v_1.seq, (0)::bigint) >= c.seq) AS heard
                           FROM ((counted c
                             CROSS JOIN sync.peer p_1)
                             LEFT JOIN sync.peer_vector v_1 ON (((v_1.node_id = p_1.node_id) AND (v_1.writer_id = c.writer_id))))
                        )
                 SELECT a.employee_id,
                    a.code,
                    n_1.node_code AS store,
                    ('1970-01-01 00:00:00+00'::timestamp with time zone + (((max(a.hlc) >> 16))::double precision * '00:00:00.001'::interval)) AS since,
                    a.beat_at AS last_heard_at
                   FROM (known a
                     JOIN org.node n_1 ON (((n_1.node_id = a.node_id) AND (n_1.kind = 'store'::text))))
                  WHERE ((a.register = 'authz'::text) AND (NOT a.heard) AND (EXISTS ( SELECT
                           FROM known c
                          WHERE ((c.employee_id = a.employee_id) AND (c.node_id = a.node_id) AND (c.register = 'code'::text) AND c.heard))) AND ((EXISTS ( SELECT
                           FROM sec.role_grant g
                          WHERE ((g.employee_id = a.employee_id) AND ((g.node_id IS NULL) OR (g.node_id = a.node_id))))) OR (EXISTS ( SELECT
                           FROM sec.verifier r
                          WHERE ((r.employee_id = a.employee_id) AND (r.node_id = a.node_id))))))
                  GROUP BY a.employee_id, a.code, n_1.node_code, a.beat_at
                  ORDER BY ('1970-01-01 00:00:00+00'::timestamp with time zone + (((max(a.hlc) >> 16))::double precision * '00:00:00.001'::interval)), a.code, n_1.node_code) p
             JOIN org.node n ON ((n.node_code = p.store)))
          WHERE tpv.may_see(n.node_id, NULL::text, NULL::date)) v
  WHERE (tpv.acting_role() = ANY ('{admin,auditor,manager}'::text[]))
  ORDER BY v.since, v.code, v.store;
COMMENT ON VIEW own.pending_revocation IS 'Employees whose sessions of before central ended, for each store that has not said that it has heard.';
COMMENT ON COLUMN own.pending_revocation.employee_id IS 'The employee.';
COMMENT ON COLUMN own.pending_revocation.code IS 'What she logs in with.';
COMMENT ON COLUMN own.pending_revocation.store IS 'The store.';
COMMENT ON COLUMN own.pending_revocation.since IS 'When central decided.';
COMMENT ON COLUMN own.pending_revocation.last_heard_at IS 'When the last heartbeat of the store came.';

-- price; Type: VIEW; Schema: own; Owner: tpv_owner
CREATE VIEW own.price WITH (security_barrier='true') AS
 SELECT v.price_id,
    v.product_id,
    v.node_id,
    v.price,
    v.valid_from,
    v.etag
   FROM ( SELECT p.price_id,
            p.product_id,
            p.node_id,
            p.price,
            p.valid_from,
            ( SELECT md5(h.heads) AS md5
                   FROM sync.head h
                  WHERE ((h.table_name = 'catalog.price'::text) AND (h.key = (p.price_id)::text))) AS etag
           FROM catalog.price p
          WHERE ((NOT p.deleted) AND ((p.node_id IS NULL) OR tpv.may_see_node(p.node_id)))) v
  WHERE (tpv.acting_role() = ANY ('{admin,auditor,cashier,concessionaire,manager,supervisor}'::text[]))
  ORDER BY v.product_id, v.valid_from DESC, v.price_id DESC;
COMMENT ON VIEW own.price IS 'Unit prices, each until the next of the same product and store.';
COMMENT ON COLUMN own.price.price_id IS 'Key. Of two with one valid_from, the one with the greater key holds: it was made later.';
COMMENT ON COLUMN own.price.product_id IS 'The product.';
COMMENT ON COLUMN own.price.node_id IS 'The only store it holds in; null for all.';
COMMENT ON COLUMN own.price.price IS 'Unit price with tax. Null ends what was before: in a store the chain''s price holds again, in the chain there is none.';
COMMENT ON COLUMN own.price.valid_from IS 'From when.';
COMMENT ON COLUMN own.price.etag IS 'The version of the row: it changes with each change. Functions that change a row want it.';

-- product; Type: VIEW; Schema: own; Owner: tpv_owner
CREATE VIEW own.product WITH (security_barrier='true') AS
 SELECT v.product_id,
    v.sku,
    v.description,
    v.unit,
    v.tax_id,
    v.deleted,
    v.etag
   FROM ( SELECT p.product_id,
            p.sku,
            p.description,
            p.unit,
            p.tax_id,
            p.deleted,
            ( SELECT md5(h.heads) AS md5
                   FROM sync.head h
                  WHERE ((h.table_name = 'catalog.product'::text) AND (h.key = (p.product_id)::text))) AS etag
           FROM catalog.product p) v
  WHERE (tpv.acting_role() = ANY ('{admin,auditor,cashier,concessionaire,manager,supervisor}'::text[]))
  ORDER BY v.sku, v.product_id;
COMMENT ON VIEW own.product IS 'What the chain sells or has sold.';
COMMENT ON COLUMN own.product.product_id IS 'Key.';
COMMENT ON COLUMN own.product.sku IS 'The chain''s own number.';
COMMENT ON COLUMN own.product.description IS 'Name for people.';
COMMENT ON COLUMN own.product.unit IS 'What a quantity of it counts.';
COMMENT ON COLUMN own.product.tax_id IS 'Its tax; null for that of the department.';
COMMENT ON COLUMN own.product.deleted IS 'Whether it was deleted. Its number can be given again. Rows are never removed.';
COMMENT ON COLUMN own.product.etag IS 'The version of the row: it changes with each change. Functions that change a row want it.';

-- quarantine; Type: VIEW; Schema: own; Owner: tpv_owner
CREATE VIEW own.quarantine WITH (security_barrier='true') AS
 SELECT v.quarantine_id,
    v.at,
    v.node_id,
    v.code,
    v.kind,
    v.detail,
    v.resolved_at
   FROM ( SELECT q.quarantine_id,
            q.at,
            q.node_id,
            q.code,
            q.kind,
                CASE
                    WHEN ((q.kind !~~ '%.%'::text) OR sec.may_read_table(q.kind)) THEN q.detail
                    ELSE 'it is about a table whose values you may not see'::text
                END AS detail,
            q.resolved_at
           FROM sync.quarantine q
          WHERE (tpv.may_see(q.node_id, NULL::text, NULL::date) OR tpv.may_see(( SELECT t.node_id
                   FROM sync.this_node t), NULL::text, NULL::date))) v
  WHERE (tpv.acting_role() = ANY ('{admin,auditor,manager}'::text[]))
  ORDER BY v.quarantine_id DESC;
COMMENT ON VIEW own.quarantine IS 'Rows of the chain that wait at this node, or were refused.';
COMMENT ON COLUMN own.quarantine.quarantine_id IS 'Key.';
COMMENT ON COLUMN own.quarantine.at IS 'When.';
COMMENT ON COLUMN own.quarantine.node_id IS 'The node that wrote it.';
COMMENT ON COLUMN own.quarantine.code IS 'A stable code such as UNKNOWN_KIND, BAD_HASH or FORGED_SENDER, or the SQLSTATE that stopped it.';
COMMENT ON COLUMN own.quarantine.kind IS 'The kind of a document; the table of an operation.';
COMMENT ON COLUMN own.quarantine.detail IS 'A sentence.';
COMMENT ON COLUMN own.quarantine.resolved_at IS 'When it was done after all, or dismissed; null while it waits.';

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

-- raw; Type: VIEW; Schema: own; Owner: tpv_owner
CREATE VIEW own.raw WITH (security_barrier='true') AS
 SELECT v.raw_id,
    v.receipt_id,
    v.received_at,
    v.terminal,
    v.file_name,
    v.outcome,
    v.bytes
   FROM ( SELECT w.raw_id,
            w.receipt_id,
            w.received_at,
            w.terminal,
            w.file_name,
            w.outcome,
            w.bytes
           FROM (sales.raw w
             JOIN sales.receipt r ON (((r.node_id = ( SELECT t.node_id
                   FROM sync.this_node t)) AND (r.receipt_id = w.receipt_id))))
          WHERE tpv.may_see(r.node_id, r.department, r.business_date)) v
  WHERE (tpv.acting_role() = ANY ('{auditor,concessionaire,manager,supervisor}'::text[]))
  ORDER BY v.raw_id DESC;
COMMENT ON VIEW own.raw IS 'Files of terminals as they came, at their own store.';
COMMENT ON COLUMN own.raw.raw_id IS 'Key, in order of arrival.';
COMMENT ON COLUMN own.raw.receipt_id IS 'The receipt.';
COMMENT ON COLUMN own.raw.received_at IS 'When.';
COMMENT ON COLUMN own.raw.terminal IS 'The terminal.';
COMMENT ON COLUMN own.raw.file_name IS 'Name of the file; null when the caller gave none.';
COMMENT ON COLUMN own.raw.outcome IS 'The answer to it: accepted, duplicate or held. Refused files are in sales.rejected.';
COMMENT ON COLUMN own.raw.bytes IS 'The file.';

-- receipt; Type: VIEW; Schema: own; Owner: tpv_owner
CREATE VIEW own.receipt WITH (security_barrier='true') AS
 SELECT v.node_id,
    v.receipt_id,
    v.business_date,
    v.terminal,
    v.department,
    v.series,
    v.receipt_number,
    v.printed_text,
    v.printed_at,
    v.recorded_at,
    v.line_count,
    v.total,
    v.lines_total,
    v.total_difference,
    v.state,
    v.hold_code,
    v.hold_pointer,
    v.hold_detail,
    v.flags
   FROM ( SELECT r.node_id,
            r.receipt_id,
            r.business_date,
            r.terminal,
            r.department,
            r.series,
            r.receipt_number,
            r.printed_text,
            r.printed_at,
            r.recorded_at,
            r.line_count,
            r.total,
            r.lines_total,
            r.total_difference,
            r.state,
            r.hold_code,
            r.hold_pointer,
            r.hold_detail,
            r.flags
           FROM sales.receipt r
          WHERE tpv.may_see(r.node_id, r.department, r.business_date)) v
  WHERE (tpv.acting_role() = ANY ('{auditor,cashier,concessionaire,manager,supervisor}'::text[]))
  ORDER BY v.node_id DESC, v.receipt_id DESC;
COMMENT ON VIEW own.receipt IS 'Receipts, of each store the newest first.';
COMMENT ON COLUMN own.receipt.node_id IS 'The node: the store that it is about.';
COMMENT ON COLUMN own.receipt.receipt_id IS 'The receipt.';
COMMENT ON COLUMN own.receipt.business_date IS 'The business day it counts for.';
COMMENT ON COLUMN own.receipt.terminal IS 'The terminal.';
COMMENT ON COLUMN own.receipt.department IS 'The department, as receipts name it.';
COMMENT ON COLUMN own.receipt.series IS 'Ticket series; empty when there is none.';
COMMENT ON COLUMN own.receipt.receipt_number IS 'Number as printed, receiptId.';
COMMENT ON COLUMN own.receipt.printed_text IS 'The printed time in its one form: the store''s wall clock with its offset. The file in sales.raw has what the terminal wrote.';
COMMENT ON COLUMN own.receipt.printed_at IS 'The instant it was printed.';
COMMENT ON COLUMN own.receipt.recorded_at IS 'When the store''s database received it.';
COMMENT ON COLUMN own.receipt.line_count IS 'Number of lines.';
COMMENT ON COLUMN own.receipt.total IS 'Printed total with tax: what the customer saw.';
COMMENT ON COLUMN own.receipt.lines_total IS 'Sum of the lines.';
COMMENT ON COLUMN own.receipt.total_difference IS 'total - lines_total.';
COMMENT ON COLUMN own.receipt.state IS 'accepted, held (waits for a person), released (was held, and a person released it), voided (also the ticket that undid another). Count accepted and released.';
COMMENT ON COLUMN own.receipt.hold_code IS 'Why it was held; null when it was not.';
COMMENT ON COLUMN own.receipt.hold_pointer IS 'JSON pointer to the cause.';
COMMENT ON COLUMN own.receipt.hold_detail IS 'The reason as a sentence.';
COMMENT ON COLUMN own.receipt.flags IS 'Codes of what was odd but no reason to hold it: ROUNDING, CHECK_DIGIT, ZERO_PRICE …';

-- receipt_event; Type: VIEW; Schema: own; Owner: tpv_owner
CREATE VIEW own.receipt_event WITH (security_barrier='true') AS
 SELECT v.node_id,
    v.receipt_id,
    v.doc_id,
    v.kind,
    v.at,
    v.actor,
    v.why
   FROM ( SELECT e.node_id,
            e.receipt_id,
            e.doc_id,
            e.kind,
            ('1970-01-01 00:00:00+00'::timestamp with time zone + (((e.hlc >> 16))::double precision * '00:00:00.001'::interval)) AS at,
            ((e.body)::json ->> 'by'::text) AS actor,
            ((e.body)::json ->> 'why'::text) AS why
           FROM (sales.receipt_event e
             JOIN sales.receipt r ON (((r.node_id = e.node_id) AND (r.receipt_id = e.receipt_id))))
          WHERE tpv.may_see(r.node_id, r.department, r.business_date)) v
  WHERE (tpv.acting_role() = ANY ('{auditor,cashier,concessionaire,manager,supervisor}'::text[]))
  ORDER BY v.node_id, v.receipt_id, v.doc_id;
COMMENT ON VIEW own.receipt_event IS 'What became of receipts after they were printed.';
COMMENT ON COLUMN own.receipt_event.node_id IS 'The node: the store that it is about.';
COMMENT ON COLUMN own.receipt_event.receipt_id IS 'The receipt.';
COMMENT ON COLUMN own.receipt_event.doc_id IS 'The document.';
COMMENT ON COLUMN own.receipt_event.kind IS 'Its kind.';
COMMENT ON COLUMN own.receipt_event.at IS 'When.';
COMMENT ON COLUMN own.receipt_event.actor IS 'Who decided, by sec.actor().';
COMMENT ON COLUMN own.receipt_event.why IS 'The reason. It names no person.';

-- receipt_line; Type: VIEW; Schema: own; Owner: tpv_owner
CREATE VIEW own.receipt_line WITH (security_barrier='true') AS
 SELECT v.node_id,
    v.receipt_id,
    v.line_number,
    v.barcode,
    v.gtin14,
    v.description,
    v.price,
    v.quantity,
    v.tax_rate,
    v.total,
    v.department,
    v.business_date
   FROM ( SELECT l.node_id,
            l.receipt_id,
            l.line_number,
            l.barcode,
            l.gtin14,
            l.description,
            l.price,
            l.quantity,
            l.tax_rate,
            l.total,
            r.department,
            l.business_date
           FROM (sales.receipt_line l
             JOIN sales.receipt r ON (((r.node_id = l.node_id) AND (r.receipt_id = l.receipt_id))))
          WHERE tpv.may_see(r.node_id, r.department, r.business_date)) v
  WHERE (tpv.acting_role() = ANY ('{auditor,cashier,concessionaire,manager,supervisor}'::text[]))
  ORDER BY v.node_id, v.receipt_id, v.line_number;
COMMENT ON VIEW own.receipt_line IS 'Lines of receipts.';
COMMENT ON COLUMN own.receipt_line.node_id IS 'The node: the store that it is about.';
COMMENT ON COLUMN own.receipt_line.receipt_id IS 'The receipt.';
COMMENT ON COLUMN own.receipt_line.line_number IS 'Place on the receipt, from 1.';
COMMENT ON COLUMN own.receipt_line.barcode IS 'Barcode as it was given.';
COMMENT ON COLUMN own.receipt_line.gtin14 IS 'Its 14-digit form when it is a GTIN with a right check digit.';
COMMENT ON COLUMN own.receipt_line.description IS 'In full, without NUL characters.';
COMMENT ON COLUMN own.receipt_line.price IS 'Unit price with tax.';
COMMENT ON COLUMN own.receipt_line.quantity IS 'Pieces or kilograms; negative when taken back; null when it has more decimals than this column (such a receipt is held).';
COMMENT ON COLUMN own.receipt_line.tax_rate IS 'Percent; null when the terminal did not say.';
COMMENT ON COLUMN own.receipt_line.total IS 'price × quantity, rounded half away from zero.';
COMMENT ON COLUMN own.receipt_line.department IS 'The department, as receipts name it.';
COMMENT ON COLUMN own.receipt_line.business_date IS 'Business date of the receipt.';

-- rejected; Type: VIEW; Schema: own; Owner: tpv_owner
CREATE VIEW own.rejected WITH (security_barrier='true') AS
 SELECT v.rejected_id,
    v.at,
    v.terminal,
    v.department,
    v.file_name,
    v.size_bytes,
    v.code,
    v.pointer,
    v.detail,
    v.raw
   FROM ( SELECT j.rejected_id,
            j.at,
            j.terminal,
            t.department_code AS department,
            j.file_name,
            j.size_bytes,
            j.code,
            j.pointer,
            j.detail,
            j.raw
           FROM ((sales.rejected j
             CROSS JOIN ( SELECT h_1.node_id,
                    COALESCE(s.timezone, 'UTC'::text) AS timezone
                   FROM (sync.this_node h_1
                     LEFT JOIN org.store s ON (((s.node_id = h_1.node_id) AND (NOT s.deleted))))) h)
             LEFT JOIN org.terminal t ON (((t.node_id = h.node_id) AND (t.code = j.terminal) AND (NOT t.deleted))))
          WHERE tpv.may_see(h.node_id, t.department_code, ((j.at AT TIME ZONE h.timezone))::date)) v
  WHERE (tpv.acting_role() = ANY ('{auditor,concessionaire,manager,supervisor}'::text[]))
  ORDER BY v.rejected_id DESC;
COMMENT ON VIEW own.rejected IS 'Files that are no receipts, at the store where they came.';
COMMENT ON COLUMN own.rejected.rejected_id IS 'Key.';
COMMENT ON COLUMN own.rejected.at IS 'When.';
COMMENT ON COLUMN own.rejected.terminal IS 'The terminal.';
COMMENT ON COLUMN own.rejected.department IS 'The department of the terminal; null when nobody registered it.';
COMMENT ON COLUMN own.rejected.file_name IS 'Name of the file.';
COMMENT ON COLUMN own.rejected.size_bytes IS 'Size of the file.';
COMMENT ON COLUMN own.rejected.code IS 'Stable code: TRUNCATED, DUP_KEY, TYPE …';
COMMENT ON COLUMN own.rejected.pointer IS 'JSON pointer to the fault; empty for the file as a whole.';
COMMENT ON COLUMN own.rejected.detail IS 'The reason as a sentence.';
COMMENT ON COLUMN own.rejected.raw IS 'The file; null when it is over the size limit.';

-- role_grant; Type: VIEW; Schema: own; Owner: tpv_owner
CREATE VIEW own.role_grant WITH (security_barrier='true') AS
 SELECT v.role_grant_id,
    v.employee_id,
    v.role,
    v.node_id,
    v.department_code,
    v.valid_from,
    v.valid_to,
    v.etag
   FROM ( SELECT g.role_grant_id,
            g.employee_id,
            g.role,
            g.node_id,
            g.department_code,
            g.valid_from,
            g.valid_to,
            ( SELECT md5(h.heads) AS md5
                   FROM sync.head h
                  WHERE ((h.table_name = 'sec.role_grant'::text) AND (h.key = (g.role_grant_id)::text))) AS etag
           FROM sec.role_grant g
          WHERE ((NOT g.deleted) AND tpv.may_see(g.node_id, g.department_code, NULL::date))) v
  WHERE (tpv.acting_role() = ANY ('{admin,auditor,manager}'::text[]))
  ORDER BY v.employee_id, v.role_grant_id;
COMMENT ON VIEW own.role_grant IS 'Who has which role where.';
COMMENT ON COLUMN own.role_grant.role_grant_id IS 'Key.';
COMMENT ON COLUMN own.role_grant.employee_id IS 'The employee.';
COMMENT ON COLUMN own.role_grant.role IS 'The role, one of sec.role.';
COMMENT ON COLUMN own.role_grant.node_id IS 'The only store it holds in; null for the whole chain.';
COMMENT ON COLUMN own.role_grant.department_code IS 'The only department of that store; null for all.';
COMMENT ON COLUMN own.role_grant.valid_from IS 'The first day it holds. A concessionaire sees sales from that business date on.';
COMMENT ON COLUMN own.role_grant.valid_to IS 'The last day it holds; null for always. A concessionaire sees sales up to that business date.';
COMMENT ON COLUMN own.role_grant.etag IS 'The version of the row: it changes with each change. Functions that change a row want it.';

-- scope; Type: VIEW; Schema: own; Owner: tpv_owner
CREATE VIEW own.scope WITH (security_barrier='true') AS
 SELECT v.node_id,
    v.department_code,
    v.from_date,
    v.to_date
   FROM ( SELECT s.node AS node_id,
            s.department AS department_code,
            s."from" AS from_date,
            s."to" AS to_date
           FROM jsonb_to_recordset(tpv.acting_scope()) s(node integer, department text, "from" date, "to" date)) v
  WHERE (tpv.acting_role() = ANY ('{admin,auditor,cashier,concessionaire,manager,supervisor}'::text[]))
  ORDER BY v.node_id, v.department_code;
COMMENT ON VIEW own.scope IS 'Where whoever asks may look: a row for each store or department.';
COMMENT ON COLUMN own.scope.node_id IS 'The store; null for the whole chain.';
COMMENT ON COLUMN own.scope.department_code IS 'The only department of that store; null for all.';
COMMENT ON COLUMN own.scope.from_date IS 'Sales from that business date on; null for all.';
COMMENT ON COLUMN own.scope.to_date IS 'Sales up to that business date; null for all.';

-- session; Type: VIEW; Schema: own; Owner: tpv_owner
CREATE VIEW own.session WITH (security_barrier='true') AS
 SELECT v.session_id,
    v.role,
    v.created_at,
    v.last_used_at,
    v.expires_at,
    v.address,
    v.user_agent
   FROM ( SELECT s.session_id,
            s.role,
            s.created_at,
            s.last_used_at,
            LEAST(s.expires_at, (s.rotated_at + '12:00:00'::interval)) AS expires_at,
            s.address,
            s.user_agent
           FROM (sec.session s
             JOIN party.employee e ON (((e.employee_id = s.employee_id) AND (e.authz <= s.authz))))
          WHERE ((s.employee_id = tpv.acting_employee()) AND (s.ended_at IS NULL) AND (LEAST(s.expires_at, (s.rotated_at + '12:00:00'::interval)) > now()))) v
  WHERE (tpv.acting_role() = ANY ('{admin,auditor,cashier,concessionaire,manager,supervisor}'::text[]))
  ORDER BY v.created_at DESC;
COMMENT ON VIEW own.session IS 'Her sessions at this node that are not over.';
COMMENT ON COLUMN own.session.session_id IS 'Key, sid of the tokens.';
COMMENT ON COLUMN own.session.role IS 'The role it is for.';
COMMENT ON COLUMN own.session.created_at IS 'When she logged in.';
COMMENT ON COLUMN own.session.last_used_at IS 'When it was refreshed last.';
COMMENT ON COLUMN own.session.expires_at IS 'When it is over unless it is refreshed.';
COMMENT ON COLUMN own.session.address IS 'The address she logged in from.';
COMMENT ON COLUMN own.session.user_agent IS 'The program she logged in with, as it called itself.';

-- sibling; Type: VIEW; Schema: own; Owner: tpv_owner
CREATE VIEW own.sibling WITH (security_barrier='true') AS
 SELECT v.table_name,
    v.key,
    v.column_name,
    v.value,
    v.node_id,
    v.seq,
    v.at,
    v.shown,
    v.review
   FROM ( SELECT s.table_name,
            s.key,
            s.column_name,
            s.value,
            s.node_id,
            s.seq,
            ('1970-01-01 00:00:00+00'::timestamp with time zone + (((s.hlc >> 16))::double precision * '00:00:00.001'::interval)) AS at,
            s.chosen AS shown,
            s.review
           FROM sync.sibling s
          WHERE sec.may_read_table(s.table_name)) v
  WHERE (tpv.acting_role() = ANY ('{admin,auditor,manager,supervisor}'::text[]))
  ORDER BY v.table_name, v.key, v.column_name, v.node_id, v.seq;
COMMENT ON VIEW own.sibling IS 'Values that two nodes wrote at once, until somebody settles it.';
COMMENT ON COLUMN own.sibling.table_name IS 'The table.';
COMMENT ON COLUMN own.sibling.key IS 'The key of the row.';
COMMENT ON COLUMN own.sibling.column_name IS 'The column, or the group.';
COMMENT ON COLUMN own.sibling.value IS 'The value.';
COMMENT ON COLUMN own.sibling.node_id IS 'The node that wrote this value.';
COMMENT ON COLUMN own.sibling.seq IS 'The number of its operation.';
COMMENT ON COLUMN own.sibling.at IS 'When it was written.';
COMMENT ON COLUMN own.sibling.shown IS 'Whether the row has this value.';
COMMENT ON COLUMN own.sibling.review IS 'Whether a person should look at it.';

-- store; Type: VIEW; Schema: own; Owner: tpv_owner
CREATE VIEW own.store WITH (security_barrier='true') AS
 SELECT v.node_id,
    v.code,
    v.name,
    v.timezone,
    v.currency,
    v.cutoff_hour,
    v.gateway_url,
    v.etag
   FROM ( SELECT s.node_id,
            s.code,
            s.name,
            s.timezone,
            s.currency,
            s.cutoff_hour,
            s.gateway_url,
            ( SELECT md5(h.heads) AS md5
                   FROM sync.head h
                  WHERE ((h.table_name = 'org.store'::text) AND (h.key = (s.store_id)::text))) AS etag
           FROM org.store s
          WHERE ((NOT s.deleted) AND tpv.may_see_node(s.node_id))) v
  WHERE (tpv.acting_role() = ANY ('{admin,auditor,cashier,concessionaire,manager,supervisor}'::text[]))
  ORDER BY v.node_id;
COMMENT ON VIEW own.store IS 'Stores.';
COMMENT ON COLUMN own.store.node_id IS 'The node: the store that it is about.';
COMMENT ON COLUMN own.store.code IS 'Short code that is printed for people, such as S01. The node''s code, if none was given.';
COMMENT ON COLUMN own.store.name IS 'Name for people.';
COMMENT ON COLUMN own.store.timezone IS 'IANA time zone of the store''s clocks, such as Europe/Madrid.';
COMMENT ON COLUMN own.store.currency IS 'ISO 4217 code of every amount of this store.';
COMMENT ON COLUMN own.store.cutoff_hour IS 'Sales before this local hour belong to the business date before.';
COMMENT ON COLUMN own.store.gateway_url IS 'Where the gateway of its node answers, as http://host:port or https://host:port; null when it has none.';
COMMENT ON COLUMN own.store.etag IS 'The version of the row: it changes with each change. Functions that change a row want it.';

-- tax; Type: VIEW; Schema: own; Owner: tpv_owner
CREATE VIEW own.tax WITH (security_barrier='true') AS
 SELECT v.tax_id,
    v.code,
    v.name
   FROM ( SELECT t.tax_id,
            t.code,
            t.name
           FROM catalog.tax t
          WHERE (NOT t.deleted)) v
  WHERE (tpv.acting_role() = ANY ('{admin,auditor,cashier,concessionaire,manager,supervisor}'::text[]))
  ORDER BY v.code;
COMMENT ON VIEW own.tax IS 'Taxes.';
COMMENT ON COLUMN own.tax.tax_id IS 'Key.';
COMMENT ON COLUMN own.tax.code IS 'Short name.';
COMMENT ON COLUMN own.tax.name IS 'Name for people.';

-- tax_rate; Type: VIEW; Schema: own; Owner: tpv_owner
CREATE VIEW own.tax_rate WITH (security_barrier='true') AS
 SELECT v.tax_rate_id,
    v.tax_id,
    v.rate,
    v.valid_from
   FROM ( SELECT r.tax_rate_id,
            r.tax_id,
            r.rate,
            r.valid_from
           FROM catalog.tax_rate r
          WHERE (NOT r.deleted)) v
  WHERE (tpv.acting_role() = ANY ('{admin,auditor,cashier,concessionaire,manager,supervisor}'::text[]))
  ORDER BY v.tax_id, v.valid_from DESC;
COMMENT ON VIEW own.tax_rate IS 'Rates of taxes, each until the next.';
COMMENT ON COLUMN own.tax_rate.tax_rate_id IS 'Key. Of two with one first day, the one with the greater key holds: it was made later.';
COMMENT ON COLUMN own.tax_rate.tax_id IS 'The tax.';
COMMENT ON COLUMN own.tax_rate.rate IS 'Percent.';
COMMENT ON COLUMN own.tax_rate.valid_from IS 'The first business day it holds.';

-- terminal; Type: VIEW; Schema: own; Owner: tpv_owner
CREATE VIEW own.terminal WITH (security_barrier='true') AS
 SELECT v.terminal_id,
    v.node_id,
    v.code,
    v.kind,
    v.department_code,
    v.active,
    v.etag
   FROM ( SELECT t.terminal_id,
            t.node_id,
            t.code,
            t.kind,
            t.department_code,
            t.active,
            ( SELECT md5(h.heads) AS md5
                   FROM sync.head h
                  WHERE ((h.table_name = 'org.terminal'::text) AND (h.key = (t.terminal_id)::text))) AS etag
           FROM org.terminal t
          WHERE ((NOT t.deleted) AND tpv.may_see(t.node_id, t.department_code, NULL::date))) v
  WHERE (tpv.acting_role() = ANY ('{admin,auditor,cashier,concessionaire,manager,supervisor}'::text[]))
  ORDER BY v.node_id, v.code;
COMMENT ON VIEW own.terminal IS 'Terminals.';
COMMENT ON COLUMN own.terminal.terminal_id IS 'Key, generated where the terminal was registered.';
COMMENT ON COLUMN own.terminal.node_id IS 'The node: the store that it is about.';
COMMENT ON COLUMN own.terminal.code IS 'Code; the name of its inbox folder and the terminalId of its receipts.';
COMMENT ON COLUMN own.terminal.kind IS 'department: it issues the tickets of a department. till: it is where customers pay.';
COMMENT ON COLUMN own.terminal.department_code IS 'The department it belongs to; null for a till that belongs to none.';
COMMENT ON COLUMN own.terminal.active IS 'An inactive terminal''s files are quarantined UNKNOWN_TERMINAL.';
COMMENT ON COLUMN own.terminal.etag IS 'The version of the row: it changes with each change. Functions that change a row want it.';

-- guess_due; Type: TABLE; Schema: rollup; Owner: tpv_owner
CREATE TABLE rollup.guess_due (
    what text NOT NULL,
    node_id integer,
    department text,
    code text,
    CONSTRAINT guess_due_what_check CHECK ((what = ANY (ARRAY['code'::text, 'department'::text, 'rules'::text, 'all'::text])))
)
WITH (autovacuum_vacuum_threshold='1000', autovacuum_vacuum_scale_factor='0');
COMMENT ON TABLE rollup.guess_due IS 'Changes of the catalog after which guessed tax rates, or what an item is, may be others. The fold empties it.';
COMMENT ON COLUMN rollup.guess_due.what IS 'What is concerned: items of a code, a department, all that barcode rules read, or all that was guessed.';
COMMENT ON COLUMN rollup.guess_due.node_id IS 'The store; null for all.';
COMMENT ON COLUMN rollup.guess_due.department IS 'The department.';
COMMENT ON COLUMN rollup.guess_due.code IS 'A GTIN of 14 digits, or a local code.';

-- restated_restated_id_seq; Type: SEQUENCE; Schema: rollup; Owner: tpv_owner
ALTER TABLE rollup.restated ALTER COLUMN restated_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME rollup.restated_restated_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

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

-- line_tax; Type: VIEW; Schema: sales; Owner: tpv_owner
CREATE VIEW sales.line_tax WITH (security_invoker='true') AS
 SELECT l.node_id,
    l.receipt_id,
    l.line_number,
    l.business_date,
    l.total,
    t.rate AS tax_rate,
    t.source AS tax_source
   FROM ((sales.receipt_line l
     JOIN sales.receipt r ON (((r.node_id = l.node_id) AND (r.receipt_id = l.receipt_id))))
     CROSS JOIN LATERAL catalog.line_tax(l.node_id, r.department, l.barcode, l.tax_rate, l.business_date) t(rate, source));
COMMENT ON VIEW sales.line_tax IS 'The tax rate of each line: what the receipt says, else that of its product, else that of its department. Ask for a day or a receipt: each line is looked up in the catalog.';
COMMENT ON COLUMN sales.line_tax.node_id IS 'The store''s node.';
COMMENT ON COLUMN sales.line_tax.receipt_id IS 'The receipt.';
COMMENT ON COLUMN sales.line_tax.line_number IS 'Place on the receipt, from 1.';
COMMENT ON COLUMN sales.line_tax.business_date IS 'Business date of the receipt.';
COMMENT ON COLUMN sales.line_tax.total IS 'Of the line, with tax.';
COMMENT ON COLUMN sales.line_tax.tax_rate IS 'Percent; null when nobody says it.';
COMMENT ON COLUMN sales.line_tax.tax_source IS 'receipt: printed. product or department: guessed by the catalog, at the rate of the business date. unknown: nobody says it.';

-- raw_raw_id_seq; Type: SEQUENCE; Schema: sales; Owner: tpv_owner
ALTER TABLE sales.raw ALTER COLUMN raw_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sales.raw_raw_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

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

-- audit_audit_id_seq; Type: SEQUENCE; Schema: sec; Owner: tpv_owner
ALTER TABLE sec.audit ALTER COLUMN audit_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sec.audit_audit_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- idempotency; Type: TABLE; Schema: sec; Owner: tpv_owner
CREATE TABLE sec.idempotency (
    actor text DEFAULT sec.actor() NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    answer text,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT idempotency_key_check CHECK (((length(key) >= 1) AND (length(key) <= 255)))
);
COMMENT ON TABLE sec.idempotency IS 'Answers to requests that may be sent again under the same key (the header Idempotency-Key). A row is committed together with what the request did.';
COMMENT ON COLUMN sec.idempotency.actor IS 'Who asked, by sec.actor().';
COMMENT ON COLUMN sec.idempotency.key IS 'The key that the client chose.';
COMMENT ON COLUMN sec.idempotency.fingerprint IS 'A hash of the request: the same key with another one is a mistake.';
COMMENT ON COLUMN sec.idempotency.answer IS 'The answer, as JSON.';
COMMENT ON COLUMN sec.idempotency.made_at IS 'When.';

-- login_scope; Type: TABLE; Schema: sec; Owner: tpv_owner
CREATE TABLE sec.login_scope (
    login text NOT NULL,
    role text NOT NULL,
    node_id integer,
    department_code text,
    valid_from date,
    valid_to date,
    CONSTRAINT login_scope_check CHECK (((department_code IS NULL) OR (node_id IS NOT NULL))),
    CONSTRAINT login_scope_check1 CHECK (((role <> 'concessionaire'::text) OR (department_code IS NOT NULL)))
);
COMMENT ON TABLE sec.login_scope IS 'What a login of the database sees in schema own that became a role with SET ROLE. The owner writes it.';
COMMENT ON COLUMN sec.login_scope.login IS 'The login, as session_user says it.';
COMMENT ON COLUMN sec.login_scope.role IS 'The role, without tpv_.';
COMMENT ON COLUMN sec.login_scope.node_id IS 'The only store; null for the whole chain.';
COMMENT ON COLUMN sec.login_scope.department_code IS 'The only department of that store; null for all.';
COMMENT ON COLUMN sec.login_scope.valid_from IS 'The first day; null for always. As in sec.role_grant.';
COMMENT ON COLUMN sec.login_scope.valid_to IS 'The last day; null for always.';

-- password_link; Type: TABLE; Schema: sec; Owner: tpv_owner
CREATE TABLE sec.password_link (
    link_hash bytea NOT NULL,
    employee_id uuid NOT NULL,
    made_by text DEFAULT sec.actor() NOT NULL,
    made_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    CONSTRAINT password_link_link_hash_check CHECK ((length(link_hash) = 32))
);
COMMENT ON TABLE sec.password_link IS 'Links by which an employee sets a first or a forgotten password. Each is good for one use.';
COMMENT ON COLUMN sec.password_link.link_hash IS 'SHA-256 of the secret in the link.';
COMMENT ON COLUMN sec.password_link.employee_id IS 'The employee.';
COMMENT ON COLUMN sec.password_link.made_by IS 'Who made it, by sec.actor().';
COMMENT ON COLUMN sec.password_link.made_at IS 'When.';
COMMENT ON COLUMN sec.password_link.expires_at IS 'Until when it can be used.';
COMMENT ON COLUMN sec.password_link.used_at IS 'When it was used, or replaced by another; null while it can be.';

-- pending_revocation; Type: VIEW; Schema: sec; Owner: tpv_owner
CREATE VIEW sec.pending_revocation WITH (security_invoker='true') AS
 WITH counted AS (
         SELECT e.employee_id,
            e.code,
            r.register,
            ((v.version ->> 0))::integer AS writer_id,
            ((v.version ->> 1))::bigint AS seq,
            ((v.version ->> 2))::bigint AS hlc
           FROM (((party.employee e
             JOIN sync.head h ON (((h.table_name = 'party.employee'::text) AND (h.key = (e.employee_id)::text))))
             CROSS JOIN LATERAL ( VALUES ('authz'::text), ('code'::text)) r(register))
             CROSS JOIN LATERAL json_array_elements(((h.heads)::json -> r.register)) v(version))
        ), known AS (
         SELECT c.employee_id,
            c.code,
            c.register,
            c.writer_id,
            c.seq,
            c.hlc,
            p.node_id,
            p.beat_at,
            (COALESCE(v.seq, (0)::bigint) >= c.seq) AS heard
           FROM ((counted c
             CROSS JOIN sync.peer p)
             LEFT JOIN sync.peer_vector v ON (((v.node_id = p.node_id) AND (v.writer_id = c.writer_id))))
        )
 SELECT a.employee_id,
    a.code,
    n.node_code AS store,
    ('1970-01-01 00:00:00+00'::timestamp with time zone + (((max(a.hlc) >> 16))::double precision * '00:00:00.001'::interval)) AS since,
    a.beat_at AS last_heard_at
   FROM (known a
     JOIN org.node n ON (((n.node_id = a.node_id) AND (n.kind = 'store'::text))))
  WHERE ((a.register = 'authz'::text) AND (NOT a.heard) AND (EXISTS ( SELECT
           FROM known c
          WHERE ((c.employee_id = a.employee_id) AND (c.node_id = a.node_id) AND (c.register = 'code'::text) AND c.heard))) AND ((EXISTS ( SELECT
           FROM sec.role_grant g
          WHERE ((g.employee_id = a.employee_id) AND ((g.node_id IS NULL) OR (g.node_id = a.node_id))))) OR (EXISTS ( SELECT
           FROM sec.verifier r
          WHERE ((r.employee_id = a.employee_id) AND (r.node_id = a.node_id))))))
  GROUP BY a.employee_id, a.code, n.node_code, a.beat_at
  ORDER BY ('1970-01-01 00:00:00+00'::timestamp with time zone + (((max(a.hlc) >> 16))::double precision * '00:00:00.001'::interval)), a.code, n.node_code;
COMMENT ON VIEW sec.pending_revocation IS 'Employees whose sessions of before central ended (they were disabled or deleted, a grant or the password was changed), for each store that has not said yet that it has heard. There they may go on until it has.';
COMMENT ON COLUMN sec.pending_revocation.employee_id IS 'The employee.';
COMMENT ON COLUMN sec.pending_revocation.code IS 'What she logs in with.';
COMMENT ON COLUMN sec.pending_revocation.store IS 'The store.';
COMMENT ON COLUMN sec.pending_revocation.since IS 'When central decided.';
COMMENT ON COLUMN sec.pending_revocation.last_heard_at IS 'When the last heartbeat of the store came.';

-- resource; Type: TABLE; Schema: sec; Owner: tpv_owner
CREATE TABLE sec.resource (
    name text NOT NULL,
    kind text NOT NULL,
    permission text,
    shows text[] DEFAULT '{}'::text[] NOT NULL,
    CONSTRAINT resource_kind_check CHECK ((kind = ANY (ARRAY['view'::text, 'verb'::text])))
);
COMMENT ON TABLE sec.resource IS 'The views and functions of schema own. A role may use those whose permission it has in sec.permission.';
COMMENT ON COLUMN sec.resource.name IS 'Name of the view or function in schema own.';
COMMENT ON COLUMN sec.resource.kind IS 'view, or verb: a function that takes one JSON object and answers one.';
COMMENT ON COLUMN sec.resource.permission IS 'The permission it wants; null for every role.';
COMMENT ON COLUMN sec.resource.shows IS 'The tables whose values a view shows.';

-- accepted_drift; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.accepted_drift (
    accepted_drift_id bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    actor text DEFAULT sec.actor() NOT NULL,
    node_id integer NOT NULL,
    what text NOT NULL,
    subject text NOT NULL,
    from_seq bigint NOT NULL,
    to_seq bigint NOT NULL,
    why text NOT NULL
);
COMMENT ON TABLE sync.accepted_drift IS 'Differences that somebody let stand, with sync.accept_drift: comparing passes over these numbers. What comes of them later is taken.';
COMMENT ON COLUMN sync.accepted_drift.accepted_drift_id IS 'Key.';
COMMENT ON COLUMN sync.accepted_drift.at IS 'When.';
COMMENT ON COLUMN sync.accepted_drift.actor IS 'Who did it, by sec.actor().';
COMMENT ON COLUMN sync.accepted_drift.node_id IS 'The peer.';
COMMENT ON COLUMN sync.accepted_drift.what IS 'As in sync.drift.';
COMMENT ON COLUMN sync.accepted_drift.subject IS 'As in sync.drift.';
COMMENT ON COLUMN sync.accepted_drift.from_seq IS 'The first number.';
COMMENT ON COLUMN sync.accepted_drift.to_seq IS 'The last number.';
COMMENT ON COLUMN sync.accepted_drift.why IS 'The reason. It names no person.';

-- accepted_drift_accepted_drift_id_seq; Type: SEQUENCE; Schema: sync; Owner: tpv_owner
ALTER TABLE sync.accepted_drift ALTER COLUMN accepted_drift_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sync.accepted_drift_accepted_drift_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- awaited; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.awaited (
    node_id integer NOT NULL,
    seq bigint NOT NULL,
    by_node integer NOT NULL
);
COMMENT ON TABLE sync.awaited IS 'Operations that operations here name and that have not arrived yet. When one of them arrives, it has already been replaced. Usually empty.';
COMMENT ON COLUMN sync.awaited.node_id IS 'The node.';
COMMENT ON COLUMN sync.awaited.seq IS 'The number of its operation.';
COMMENT ON COLUMN sync.awaited.by_node IS 'The node whose operation named it first. Of one store there are 100,000 at most.';

-- beat_counter; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.beat_counter (
    node_id integer NOT NULL,
    beat bigint NOT NULL
);
COMMENT ON TABLE sync.beat_counter IS 'Numbers the heartbeats of this node, without gaps.';
COMMENT ON COLUMN sync.beat_counter.node_id IS 'This node.';
COMMENT ON COLUMN sync.beat_counter.beat IS 'The last number given.';

-- change; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.change (
    pos bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    entity text NOT NULL,
    node_id integer,
    key uuid,
    business_date date
);
COMMENT ON TABLE sync.change IS 'The change log: what changed on this node, in the order in which it was seen. One writer numbers what is already committed, so that whoever reads on from a position skips nothing. Rows leave after pg_tpv.keep_changes.';
COMMENT ON COLUMN sync.change.pos IS 'Position, without a gap. A server that is restored from a backup gives later ones again: whoever followed begins anew.';
COMMENT ON COLUMN sync.change.at IS 'When it was numbered.';
COMMENT ON COLUMN sync.change.entity IS 'Table of what changed: sales.receipt, sales.day_close, or a tracked table.';
COMMENT ON COLUMN sync.change.node_id IS 'The store''s node; null for a tracked table.';
COMMENT ON COLUMN sync.change.key IS 'The receipt, or the key of the tracked row; null for a closed day.';
COMMENT ON COLUMN sync.change.business_date IS 'The business day of a receipt or of a close; null for a tracked table.';

-- change_head; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.change_head (
    only_one boolean DEFAULT true NOT NULL,
    pos bigint NOT NULL,
    round bigint NOT NULL,
    round_at timestamp with time zone,
    CONSTRAINT change_head_only_one_check CHECK (only_one)
);
COMMENT ON TABLE sync.change_head IS 'How far the fold has counted; one row.';
COMMENT ON COLUMN sync.change_head.only_one IS 'Key.';
COMMENT ON COLUMN sync.change_head.pos IS 'The last position that was given, also when its row was removed since.';
COMMENT ON COLUMN sync.change_head.round IS 'How often the fold has found something in sync.touched.';
COMMENT ON COLUMN sync.change_head.round_at IS 'When it found something last.';

-- claim; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE UNLOGGED TABLE sync.claim (
    value_hash bigint NOT NULL
);
COMMENT ON TABLE sync.claim IS 'Always empty. A session that writes a value which no two rows may share inserts its hash here and deletes it again, so that another one that writes the same value waits for its transaction.';
COMMENT ON COLUMN sync.claim.value_hash IS 'Hash of the table, the rule and the values.';

-- clone; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.clone (
    node_id integer NOT NULL,
    life text NOT NULL,
    from_node integer NOT NULL,
    is_here boolean NOT NULL,
    first_at timestamp with time zone NOT NULL,
    last_at timestamp with time zone NOT NULL,
    settled_at timestamp with time zone
)
WITH (fillfactor='70');
COMMENT ON TABLE sync.clone IS 'Servers that were refused since another one is that node: copies, or servers that were restored from one.';
COMMENT ON COLUMN sync.clone.node_id IS 'The node that the server says it is: a peer, or this node.';
COMMENT ON COLUMN sync.clone.life IS 'Its life.';
COMMENT ON COLUMN sync.clone.from_node IS 'Who has refused it: this node; or a peer, for a server that says that it is this node.';
COMMENT ON COLUMN sync.clone.is_here IS 'Whether it is this very server that the peer has refused.';
COMMENT ON COLUMN sync.clone.first_at IS 'When that was noted first.';
COMMENT ON COLUMN sync.clone.last_at IS 'When it was refused last, within some seconds.';
COMMENT ON COLUMN sync.clone.settled_at IS 'When somebody decided which server it is, with sync.accept_life; null while nobody has, and when it was refused again since.';

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

-- erasure_erasure_id_seq; Type: SEQUENCE; Schema: sync; Owner: tpv_owner
ALTER TABLE sync.erasure ALTER COLUMN erasure_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sync.erasure_erasure_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- life; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.life (
    node_id integer NOT NULL,
    life text NOT NULL,
    predecessor text,
    state text NOT NULL,
    is_known boolean DEFAULT true NOT NULL,
    first_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    last_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    replaced_at timestamp with time zone,
    replacement text,
    refusals integer DEFAULT 0 NOT NULL,
    pid integer,
    CONSTRAINT life_state_check CHECK ((state = ANY (ARRAY['current'::text, 'replaced'::text, 'waiting'::text, 'refused'::text])))
)
WITH (fillfactor='70');
COMMENT ON TABLE sync.life IS 'The lives of peers'' servers that came to stream from here, each from a start of that server to the next, and which one may. The last 500 of each peer.';
COMMENT ON COLUMN sync.life.node_id IS 'The peer.';
COMMENT ON COLUMN sync.life.life IS 'Its name, which the server has drawn: there, select tpv.life().';
COMMENT ON COLUMN sync.life.predecessor IS 'The life before, as the server says.';
COMMENT ON COLUMN sync.life.state IS 'current: it may stream, and no other may. replaced: another has its place. waiting: it came while the slot was another''s, and was put off. refused: there are two servers, or one was restored; a person decides with sync.accept_life. Without a current one whoever comes next may stream.';
COMMENT ON COLUMN sync.life.is_known IS 'Whether it followed the one of before. False when nothing of its past was on record here.';
COMMENT ON COLUMN sync.life.first_at IS 'When it came first.';
COMMENT ON COLUMN sync.life.last_at IS 'When it came last.';
COMMENT ON COLUMN sync.life.replaced_at IS 'When another took its place.';
COMMENT ON COLUMN sync.life.replacement IS 'Which; null when somebody left it to whoever comes next.';
COMMENT ON COLUMN sync.life.refusals IS 'How often it was refused; once that has alarmed, not every time is counted.';
COMMENT ON COLUMN sync.life.pid IS 'The process that let it in last.';

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

-- own_chain; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.own_chain (
    chain text NOT NULL,
    chain_seq bigint NOT NULL,
    hash bytea NOT NULL,
    depth bigint DEFAULT 100 NOT NULL,
    is_deeper boolean DEFAULT false NOT NULL,
    requested_at timestamp with time zone
);
COMMENT ON TABLE sync.own_chain IS 'Hash chains of this node that go on at central otherwise than here, since this server was restored. Central sends their documents; a row goes when the chain is whole.';
COMMENT ON COLUMN sync.own_chain.chain IS 'Its name, as in wire.doc.';
COMMENT ON COLUMN sync.own_chain.chain_seq IS 'The last document that links at central.';
COMMENT ON COLUMN sync.own_chain.hash IS 'Its link hash.';
COMMENT ON COLUMN sync.own_chain.depth IS 'From how many documents before the end of the chain here central is asked to send.';
COMMENT ON COLUMN sync.own_chain.is_deeper IS 'Whether the first document that came does not link to what is here, so that the two part before it.';
COMMENT ON COLUMN sync.own_chain.requested_at IS 'When central was asked last.';

-- own_said; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.own_said (
    node_id integer NOT NULL,
    at timestamp with time zone NOT NULL,
    last_seq bigint NOT NULL,
    reused bigint[] NOT NULL,
    detail text NOT NULL
);
COMMENT ON TABLE sync.own_said IS 'Peers that have operations of this node that are not here, or are others here. A row goes when the peer says so no longer.';
COMMENT ON COLUMN sync.own_said.node_id IS 'The peer.';
COMMENT ON COLUMN sync.own_said.at IS 'When it said so last.';
COMMENT ON COLUMN sync.own_said.last_seq IS 'The last number of this node''s operations there.';
COMMENT ON COLUMN sync.own_said.reused IS 'Numbers that have other stamps there than here.';
COMMENT ON COLUMN sync.own_said.detail IS 'A sentence.';

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

-- pruned; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.pruned (
    node_id integer NOT NULL,
    seq bigint DEFAULT 0 NOT NULL,
    next_seq bigint DEFAULT 1 NOT NULL,
    gone bigint DEFAULT 0 NOT NULL,
    looked_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL
);
COMMENT ON TABLE sync.pruned IS 'What left the journal: for each node up to which number operations may be missing in wire.op. All up to there are part of the rows here (sync.horizon), and a peer that asks for them gets a snapshot.';
COMMENT ON COLUMN sync.pruned.node_id IS 'The node that decided.';
COMMENT ON COLUMN sync.pruned.seq IS 'The number. Below it are heads, and what named a missing one.';
COMMENT ON COLUMN sync.pruned.next_seq IS 'Where sync.prune_operations goes on.';
COMMENT ON COLUMN sync.pruned.gone IS 'How many have left.';
COMMENT ON COLUMN sync.pruned.looked_at IS 'When its operations were looked at last.';

-- pruning; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.pruning (
    pruning_id bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    what text NOT NULL,
    gone bigint NOT NULL
);
COMMENT ON TABLE sync.pruning IS 'What was removed since it was old and done, and when.';
COMMENT ON COLUMN sync.pruning.pruning_id IS 'Key.';
COMMENT ON COLUMN sync.pruning.at IS 'When.';
COMMENT ON COLUMN sync.pruning.what IS 'The table.';
COMMENT ON COLUMN sync.pruning.gone IS 'How many rows.';

-- pruning_pruning_id_seq; Type: SEQUENCE; Schema: sync; Owner: tpv_owner
ALTER TABLE sync.pruning ALTER COLUMN pruning_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sync.pruning_pruning_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- quarantine_quarantine_id_seq; Type: SEQUENCE; Schema: sync; Owner: tpv_owner
ALTER TABLE sync.quarantine ALTER COLUMN quarantine_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sync.quarantine_quarantine_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- refusal; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.refusal (
    node_id integer NOT NULL,
    day date NOT NULL,
    refused bigint NOT NULL,
    dropped bigint DEFAULT 0 NOT NULL,
    erased bigint DEFAULT 0 NOT NULL,
    of_before bigint DEFAULT 0 NOT NULL,
    last_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
)
WITH (fillfactor='50');
COMMENT ON TABLE sync.refusal IS 'How many rows of a peer were refused on a day. The first 200 are kept in sync.quarantine, and one row more that says that there are others.';
COMMENT ON COLUMN sync.refusal.node_id IS 'The peer that sent them; 0 for a subscription that belongs to none.';
COMMENT ON COLUMN sync.refusal.day IS 'The day.';
COMMENT ON COLUMN sync.refusal.refused IS 'How many.';
COMMENT ON COLUMN sync.refusal.dropped IS 'How many operations of the peer were not taken at the time, and come again by comparing: they were far beyond a gap in its numbers, or too much of it waits. Counted by the thousand.';
COMMENT ON COLUMN sync.refusal.erased IS 'How many rows the peer has erased. At central a thousand of a store are taken on a day; what it erases beyond that waits in sync.quarantine.';
COMMENT ON COLUMN sync.refusal.of_before IS 'How many operations of before the peer joined are kept in sync.quarantine, since central decides about their rows: 200 at most. The store has all of them in sync.set_aside.';
COMMENT ON COLUMN sync.refusal.last_at IS 'When the last one came.';

-- resolution_resolution_id_seq; Type: SEQUENCE; Schema: sync; Owner: tpv_owner
ALTER TABLE sync.resolution ALTER COLUMN resolution_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sync.resolution_resolution_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- restored; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.restored (
    restored_id bigint NOT NULL,
    noticed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    how text NOT NULL,
    life integer NOT NULL,
    stamps integer DEFAULT 100 NOT NULL,
    snapshot_requested_at timestamp with time zone,
    ended_at timestamp with time zone,
    ended_why text,
    CONSTRAINT restored_life_check CHECK ((life > 1))
);
COMMENT ON TABLE sync.restored IS 'When this server noticed that it was restored from a backup. While a row is open, nobody changes here what the chain shares; selling goes on.';
COMMENT ON COLUMN sync.restored.restored_id IS 'Key.';
COMMENT ON COLUMN sync.restored.noticed_at IS 'When.';
COMMENT ON COLUMN sync.restored.how IS 'What showed it, in a sentence.';
COMMENT ON COLUMN sync.restored.life IS 'The life in which hash chains go on since then: T04~2 is the second of T04.';
COMMENT ON COLUMN sync.restored.stamps IS 'Of how many of this node''s operations peers name the stamps, while the row is open.';
COMMENT ON COLUMN sync.restored.snapshot_requested_at IS 'When a store asked central for a snapshot with what it had decided and forgotten.';
COMMENT ON COLUMN sync.restored.ended_at IS 'When what it had forgotten was here again, or somebody ended it; null while it is open.';
COMMENT ON COLUMN sync.restored.ended_why IS 'Which of these.';

-- restored_restored_id_seq; Type: SEQUENCE; Schema: sync; Owner: tpv_owner
ALTER TABLE sync.restored ALTER COLUMN restored_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sync.restored_restored_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- second_place; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.second_place (
    node_id integer NOT NULL,
    chain text NOT NULL,
    chain_seq bigint NOT NULL,
    doc_id uuid NOT NULL,
    business_date date NOT NULL,
    kind text NOT NULL,
    hlc bigint NOT NULL,
    prev_hash bytea NOT NULL,
    content_hash bytea NOT NULL
);
COMMENT ON TABLE sync.second_place IS 'Places in hash chains of documents that have another place in wire.doc: a receipt that a server recorded, forgot with a restore, and recorded again. The place with the earlier stamp is in wire.doc. Hash chains link through both.';
COMMENT ON COLUMN sync.second_place.node_id IS 'As in wire.doc.';
COMMENT ON COLUMN sync.second_place.chain IS 'As in wire.doc.';
COMMENT ON COLUMN sync.second_place.chain_seq IS 'As in wire.doc.';
COMMENT ON COLUMN sync.second_place.doc_id IS 'The document.';
COMMENT ON COLUMN sync.second_place.business_date IS 'Its business date.';
COMMENT ON COLUMN sync.second_place.kind IS 'Its kind.';
COMMENT ON COLUMN sync.second_place.hlc IS 'The stamp with which it was recorded in this place.';
COMMENT ON COLUMN sync.second_place.prev_hash IS 'As in wire.doc.';
COMMENT ON COLUMN sync.second_place.content_hash IS 'As in wire.doc, of the body that it had in this place.';

-- server; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.server (
    node_id integer NOT NULL,
    timeline integer NOT NULL,
    slots text[] NOT NULL,
    started_at timestamp with time zone NOT NULL,
    token bigint NOT NULL,
    token_at timestamp with time zone NOT NULL
);
COMMENT ON TABLE sync.server IS 'This server since its last start: what it asks its peers about itself.';
COMMENT ON COLUMN sync.server.node_id IS 'This node.';
COMMENT ON COLUMN sync.server.timeline IS 'The timeline of its WAL when the background worker looked last.';
COMMENT ON COLUMN sync.server.slots IS 'The slots of its peers at the same time. A base backup has none.';
COMMENT ON COLUMN sync.server.started_at IS 'When the postmaster started.';
COMMENT ON COLUMN sync.server.token IS 'Heartbeats carry it while this node asks what others have of its rows; another one asks anew.';
COMMENT ON COLUMN sync.server.token_at IS 'Since when it is this one.';

-- set_aside_set_aside_id_seq; Type: SEQUENCE; Schema: sync; Owner: tpv_owner
ALTER TABLE sync.set_aside ALTER COLUMN set_aside_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sync.set_aside_set_aside_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- touched; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.touched (
    at timestamp with time zone NOT NULL,
    entity text NOT NULL,
    node_id integer,
    key uuid,
    business_date date,
    department text
)
WITH (autovacuum_vacuum_threshold='1000', autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_insert_threshold='-1', autovacuum_analyze_threshold='1000000');
COMMENT ON TABLE sync.touched IS 'What changed and was not numbered yet: a row for each projected document and each change of a tracked row. Without a key or an index, so that a receipt costs next to nothing more; the fold empties it.';
COMMENT ON COLUMN sync.touched.at IS 'Start of the transaction that changed it.';
COMMENT ON COLUMN sync.touched.entity IS 'Table of what changed: sales.receipt, sales.day_close, or a tracked table; rollup.bucket where only sums are to be made anew.';
COMMENT ON COLUMN sync.touched.node_id IS 'The store''s node; null for a tracked table.';
COMMENT ON COLUMN sync.touched.key IS 'The receipt, or the key of the tracked row.';
COMMENT ON COLUMN sync.touched.business_date IS 'Of a closed day; of a receipt only where its row is gone or was of another day.';
COMMENT ON COLUMN sync.touched.department IS 'The department then.';

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
            p.version,
            p.ahead_ms,
            p.beat_hlc,
            p.whole_hlc,
            p.heads_requested_at,
            p.joined_seq,
            p.own_token,
            p.own_at,
            p.conninfo,
            n.node_code,
            n.kind,
            (NOT (p.whole_hlc IS DISTINCT FROM p.beat_hlc)) AS whole,
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
                   FROM sync.quarantine q
                  WHERE ((q.code = 'NOT_ENTITLED'::text) AND (q.resolved_at IS NULL) AND ((q.node_id = p.node_id) OR (n.kind = 'central'::text))))) AS unentitled,
            (EXISTS ( SELECT
                   FROM org.ban b
                  WHERE ((b.node_id = p.node_id) AND (b.lifted_at IS NULL) AND (NOT b.deleted)))) AS banned,
            (EXISTS ( SELECT
                   FROM sync.snapshot l
                  WHERE ((l.node_id = p.node_id) AND (l.completed_at IS NOT NULL)))) AS copied,
            c.cloned,
            c.copy_of_this,
            c.this_refused
           FROM ((sync.peer p
             JOIN org.node n ON ((n.node_id = p.node_id)))
             CROSS JOIN LATERAL ( SELECT COALESCE(bool_or((c_1.node_id = p.node_id)), false) AS cloned,
                    COALESCE(bool_or(((c_1.from_node = p.node_id) AND (NOT c_1.is_here))), false) AS copy_of_this,
                    COALESCE(bool_or(((c_1.from_node = p.node_id) AND c_1.is_here AND (c_1.last_at > (now() - '00:01:00'::interval)) AND (c_1.last_at > COALESCE(p.beat_at, '-infinity'::timestamp with time zone)))), false) AS this_refused
                   FROM (sync.clone c_1
                     CROSS JOIN sync.this_node t)
                  WHERE ((c_1.settled_at IS NULL) AND (c_1.last_at > (now() - '01:00:00'::interval)) AND (((c_1.node_id = p.node_id) AND (c_1.from_node = t.node_id)) OR ((c_1.node_id = t.node_id) AND (c_1.from_node = p.node_id))))) c)
        ), own AS (
         SELECT n.node_id,
            n.node_code
           FROM (sync.this_node t
             JOIN org.node n ON ((n.node_id = t.node_id)))
        ), known AS (
         SELECT COALESCE(jsonb_object_agg(k.node_id, k.seq), '{}'::jsonb) AS ops
           FROM sync.contiguous() k(node_id, seq)
        ), sums AS (
         SELECT (now() - LEAST(( SELECT min(t.at) AS min
                   FROM sync.touched t), ( SELECT min(d.due_at) AS min
                   FROM rollup.due d
                  WHERE ((d.due_at < now()) AND (d.failed IS NULL))))) AS age
        ), rows AS (
         SELECT p.node_code AS peer,
            'receives'::text AS direction,
                CASE
                    WHEN (s_1.oid IS NULL) THEN 'no subscription'::text
                    WHEN (NOT s_1.subenabled) THEN 'disabled'::text
                    WHEN p.this_refused THEN 'refused'::text
                    WHEN (w.pid IS NULL) THEN 'not running'::text
                    WHEN (b.pid IS NOT NULL) THEN 'waiting for a lock'::text
                    WHEN (h.pid IS NOT NULL) THEN 'keeps others waiting'::text
                    WHEN ((p.kind = 'central'::text) AND (NOT p.copied)) THEN 'copying'::text
                    WHEN (p.received_until IS NULL) THEN 'comparing'::text
                    ELSE 'running'::text
                END AS state,
            NULL::bigint AS lag_bytes,
            ( SELECT (LEAST(COALESCE(sum(GREATEST((v.seq - COALESCE(((k.ops ->> (v.writer_id)::text))::bigint, (0)::bigint)), (0)::bigint)), (0)::numeric), ('9223372036854775807'::bigint)::numeric))::bigint AS "least"
                   FROM sync.peer_vector v
                  WHERE ((v.node_id = p.node_id) AND ((p.kind = 'central'::text) OR (v.writer_id = p.node_id)))) AS lag_operations,
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
            p.whole,
            p.unentitled,
            p.banned,
            p.kind AS peer_kind,
            p.cloned,
            p.copy_of_this,
            b.pid AS blocker,
            b.is_worker AS behind_worker,
            h.pid AS holder,
            p.subscription_name
           FROM (((((peer p
             CROSS JOIN known k)
             LEFT JOIN pg_subscription s_1 ON (((s_1.subname = p.subscription_name) AND (s_1.subdbid = ( SELECT d.oid
                   FROM pg_database d
                  WHERE (d.datname = current_database()))))))
             LEFT JOIN pg_stat_subscription w ON (((w.subid = s_1.oid) AND (w.relid IS NULL))))
             LEFT JOIN LATERAL ( SELECT t.pid,
                    (o.backend_type ~~ 'logical replication%worker'::text) AS is_worker
                   FROM ((((pg_stat_activity a
                     CROSS JOIN LATERAL ( SELECT (pg_blocking_pids(a.pid))[1] AS pid) f)
                     LEFT JOIN pg_stat_activity m ON (((m.pid = f.pid) AND (m.backend_type ~~ 'logical replication%worker'::text) AND (m.wait_event_type = 'Lock'::text))))
                     CROSS JOIN LATERAL ( SELECT COALESCE((pg_blocking_pids(m.pid))[1], f.pid) AS pid) t)
                     LEFT JOIN pg_stat_activity o ON ((o.pid = t.pid)))
                  WHERE ((a.pid = w.pid) AND (a.wait_event_type = 'Lock'::text) AND (a.xact_start < (clock_timestamp() - '00:00:05'::interval)))) b ON (true))
             LEFT JOIN LATERAL ( SELECT a.pid
                   FROM pg_stat_activity a
                  WHERE ((a.pid = w.pid) AND (a.xact_start < (clock_timestamp() - '00:01:00'::interval)) AND (EXISTS ( SELECT
                           FROM pg_stat_activity o
                          WHERE ((o.wait_event_type = 'Lock'::text) AND (a.pid = ANY (pg_blocking_pids(o.pid)))))))) h ON (true))
        UNION ALL
         SELECT p.node_code,
            'sends'::text,
                CASE
                    WHEN (r_1.slot_name IS NULL) THEN 'no slot'::text
                    WHEN (r_1.wal_status = 'lost'::text) THEN 'slot lost'::text
                    WHEN (r_1.xmin IS NOT NULL) THEN 'holds back vacuum'::text
                    WHEN (r_1.confirmed_flush_lsn > pg_current_wal_lsn()) THEN 'restored'::text
                    WHEN (NOT r_1.active) THEN 'not connected'::text
                    ELSE 'running'::text
                END AS "case",
            (GREATEST(pg_wal_lsn_diff(pg_current_wal_lsn(), r_1.confirmed_flush_lsn), ('-9223372036854775807'::bigint)::numeric))::bigint AS "greatest",
            ( SELECT (COALESCE(sum(GREATEST(((v.value)::bigint - COALESCE(h.seq, (0)::bigint)), (0)::bigint)), (0)::numeric))::bigint AS "coalesce"
                   FROM (jsonb_each_text(k.ops) v(key, value)
                     LEFT JOIN sync.peer_vector h ON (((h.node_id = p.node_id) AND (h.writer_id = (v.key)::integer))))
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
            p.whole,
            p.unentitled,
            p.banned,
            p.kind,
            p.cloned,
            p.copy_of_this,
            NULL::integer,
            NULL::boolean,
            NULL::integer,
            NULL::text
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
            WHEN r.banned THEN 'it is banned and still a peer: was this server restored from a backup of before? call sync.ban(…) once more'::text
            WHEN (r.state = 'no subscription'::text) THEN 'the peer is known and not joined: run the rest of sync.join_plan'::text
            WHEN (r.state = 'disabled'::text) THEN 'somebody disabled it: alter subscription ... enable, when the reason is gone'::text
            WHEN (r.state = 'refused'::text) THEN 'the peer refuses this server, since another one has its place: which is it? docs/dba.md, "Two servers say that they are one node"'::text
            WHEN (r.state = 'not running'::text) THEN 'its worker does not stay up: the server log says why; is the peer down, or the line?'::text
            WHEN ((r.state = 'waiting for a lock'::text) AND r.behind_worker) THEN format('it waits for the worker of another peer (%s), which is at work: look again in a minute'::text, r.blocker)
            WHEN (r.state = 'waiting for a lock'::text) THEN format('session %1$s keeps a row locked that is to be written here: let it end, or select pg_terminate_backend(%1$s)'::text, r.blocker)
            WHEN (r.state = 'keeps others waiting'::text) THEN format('its worker is in one transaction for over a minute, and others wait for it. If that stays: alter subscription %I disable; select pg_terminate_backend(%s)'::text, r.subscription_name, r.holder)
            WHEN (r.state = 'holds back vacuum'::text) THEN 'whoever fetches by this slot keeps all tables here from being vacuumed, which no subscription does: was the peer tampered with? sync.leave_plan ends its slot and its login'::text
            WHEN (r.state = 'no slot'::text) THEN 'the peer has no slot here, so it receives nothing: sync.rejoin_plan, or sync.join_plan if it never joined'::text
            WHEN (r.state = 'slot lost'::text) THEN 'the peer was away for too long: run sync.rejoin_plan'::text
            WHEN (r.state = 'restored'::text) THEN 'the peer has more WAL of this server than there is: one was restored from a backup. Run sync.rejoin_plan'::text
            WHEN (r.cloned AND (r.direction = 'sends'::text)) THEN format('two servers say that they are %s, and one is refused here: a copy, or one that was restored. docs/dba.md, "Two servers say that they are one node"'::text, r.peer)
            WHEN (r.copy_of_this AND (r.direction = 'receives'::text)) THEN format('%s refuses a copy of this server: find it. docs/dba.md, "Two servers say that they are one node"'::text, r.peer)
            WHEN (r.state = 'not connected'::text) THEN 'the peer does not fetch: is it down, or the line? WAL is kept for it meanwhile'::text
            WHEN (r.slot = ANY (ARRAY['extended'::text, 'unreserved'::text])) THEN 'its slot will soon be lost: get the peer to fetch, or raise max_slot_wal_keep_size'::text
            WHEN (sync.is_restored() AND (r.peer_kind = 'store'::text)) THEN 'this server was restored from a backup, and changes of what the chain shares are refused until it has what it forgot: run sync.restored_plan, and see sync.restored and sync.own_said'::text
            WHEN sync.is_restored() THEN 'this server was restored from a backup, and changes of what the chain shares are refused until it has what it forgot; selling goes on. If no rows arrive, run sync.rejoin_plan; sync.restored has more'::text
            WHEN (r.restored AND (r.peer_kind = 'store'::text)) THEN 'the store has operations of this node that are not here: was this server restored from a backup? Then sync.restored_plan. If not, that store was tampered with'::text
            WHEN r.restored THEN 'this node has lost operations of its own and is getting them back: let nobody change what the chain shares until then'::text
            WHEN (r.unentitled AND (r.direction = 'receives'::text)) THEN 'a store wrote what central decides, which was refused: was it tampered with? select * from journal.quarantine where code = ''NOT_ENTITLED'' and resolved_at is null'::text
            WHEN r.broken THEN 'a hash chain does not link: select * from sync.drift where resolved_at is null'::text
            WHEN (r.drift > 0) THEN 'rows are missing and were requested: sync.drift tells which; look again in a few minutes'::text
            WHEN (r.silent_for > '00:01:00'::interval) THEN 'no heartbeat for over a minute: is the peer''s background worker running?'::text
            WHEN (r.ahead_ms > 0) THEN 'the peer''s clock is too far ahead: correct it there, then tpv.hlc_step_back()'::text
            WHEN ((r.direction = 'receives'::text) AND (r.quarantined > 0)) THEN 'rows wait: select * from journal.quarantine where resolved_at is null'::text
            WHEN ((r.direction = 'receives'::text) AND (NOT r.whole)) THEN 'a heartbeat is missing: the peer was asked to name all its hash chains; look again in a minute'::text
            WHEN (r.state = 'copying'::text) THEN 'it has just joined: the snapshot of all tracked rows is on its way'::text
            WHEN (r.state = 'comparing'::text) THEN 'it has just joined: both are compared within a minute, or by select sync.reconcile()'::text
            WHEN (s.age > '00:05:00'::interval) THEN 'sums of this node are behind: docs/dba.md, "Sums are behind"'::text
            WHEN (r.version <> ( SELECT e.extversion
               FROM pg_extension e
              WHERE (e.extname = 'pg_tpv'::name))) THEN 'the peer has another version of pg_tpv: upgrade the older one when it suits'::text
            ELSE 'nothing to do'::text
        END AS advice,
    s.age AS sums_age
   FROM (rows r
     CROSS JOIN sums s)
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
COMMENT ON COLUMN sync.status.sums_age IS 'How long the oldest change waits to be in the change log and in the sums of this node; null when none does. The same in each row.';

-- undone; Type: TABLE; Schema: sync; Owner: tpv_owner
CREATE TABLE sync.undone (
    undone_id bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    actor text DEFAULT sec.actor() NOT NULL,
    node_id integer NOT NULL,
    seq bigint NOT NULL,
    table_name text NOT NULL,
    key text NOT NULL,
    column_name text NOT NULL,
    value_written jsonb,
    value jsonb NOT NULL,
    why text NOT NULL,
    CONSTRAINT undone_why_check CHECK ((why <> ''::text))
);
COMMENT ON TABLE sync.undone IS 'What a store had written and somebody at central took back, with sync.undo_written.';
COMMENT ON COLUMN sync.undone.undone_id IS 'Key.';
COMMENT ON COLUMN sync.undone.at IS 'When.';
COMMENT ON COLUMN sync.undone.actor IS 'Who did it, by sec.actor().';
COMMENT ON COLUMN sync.undone.node_id IS 'The store.';
COMMENT ON COLUMN sync.undone.seq IS 'The number of its operation.';
COMMENT ON COLUMN sync.undone.table_name IS 'The table.';
COMMENT ON COLUMN sync.undone.key IS 'The key of the row.';
COMMENT ON COLUMN sync.undone.column_name IS 'The column, the group, or the element of a set. @exists: whether the row is there.';
COMMENT ON COLUMN sync.undone.value_written IS 'What the store had written.';
COMMENT ON COLUMN sync.undone.value IS 'What stands in its place.';
COMMENT ON COLUMN sync.undone.why IS 'The reason. It names no person.';

-- undone_undone_id_seq; Type: SEQUENCE; Schema: sync; Owner: tpv_owner
ALTER TABLE sync.undone ALTER COLUMN undone_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sync.undone_undone_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- fold; Type: TABLE; Schema: tpv_lock; Owner: tpv_owner
CREATE TABLE tpv_lock.fold (
);
COMMENT ON TABLE tpv_lock.fold IS 'One session at a time numbers changes and writes roll-ups.';

-- merge; Type: TABLE; Schema: tpv_lock; Owner: tpv_owner
CREATE TABLE tpv_lock.merge (
);
COMMENT ON TABLE tpv_lock.merge IS 'Each merge shares a lock on it (row exclusive). Who must be alone among merges holds it in exclusive mode.';

-- reconcile; Type: TABLE; Schema: tpv_lock; Owner: tpv_owner
CREATE TABLE tpv_lock.reconcile (
);
COMMENT ON TABLE tpv_lock.reconcile IS 'One session at a time compares this node with its peers.';

-- snapshot; Type: TABLE; Schema: tpv_lock; Owner: tpv_owner
CREATE TABLE tpv_lock.snapshot (
);
COMMENT ON TABLE tpv_lock.snapshot IS 'One session at a time puts a snapshot together.';

-- beat; Type: TABLE; Schema: wire; Owner: tpv_owner
CREATE TABLE wire.beat (
    node_id integer NOT NULL,
    beat bigint NOT NULL,
    hlc bigint NOT NULL,
    low_water timestamp with time zone NOT NULL,
    ops text NOT NULL,
    chains text NOT NULL,
    version text NOT NULL,
    more text DEFAULT '{}'::text NOT NULL
);
COMMENT ON TABLE wire.beat IS 'Heartbeats of this node. At the receiver they are folded into sync.peer and not stored.';
COMMENT ON COLUMN wire.beat.node_id IS 'The node.';
COMMENT ON COLUMN wire.beat.beat IS 'Number of the heartbeat, without gaps.';
COMMENT ON COLUMN wire.beat.hlc IS 'When it was written, as in wire.doc.';
COMMENT ON COLUMN wire.beat.low_water IS 'Nothing that was recorded before this moment can still commit.';
COMMENT ON COLUMN wire.beat.ops IS 'JSON: for each node the number up to which its operations are here without a gap.';
COMMENT ON COLUMN wire.beat.chains IS 'JSON: heads of hash chains, as [chain_seq, hash, hlc]: those that moved since another heartbeat, or all; more.since says which. 1>2 is chain >2 of node 1, which central passes on.';
COMMENT ON COLUMN wire.beat.version IS 'Version of the extension.';
COMMENT ON COLUMN wire.beat.more IS 'JSON, for what heartbeats learn to say; unknown keys are ignored. since: chains has what moved since the heartbeat with this hlc; without it chains has all.';

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
COMMENT ON TABLE wire.doc_default IS 'Documents whose month has no partition: those of months that no store sells in, which stay here, and those whose partition is not made yet.';

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

-- snapshot snapshot_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.snapshot
    ADD CONSTRAINT snapshot_pkey PRIMARY KEY (snapshot_id);

-- note_end(uuid, integer, text); Type: FUNCTION; Schema: sync; Owner: tpv_owner
CREATE FUNCTION sync.note_end(snapshot_id uuid, of_node integer, why text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 INSERT INTO sync.snapshot AS l (snapshot_id, node_id, ended_at)
   VALUES (note_end.snapshot_id, note_end.of_node, clock_timestamp()) ON CONFLICT ON CONSTRAINT snapshot_pkey DO UPDATE SET ended_at = excluded.ended_at
   WHERE (l.completed_at IS NULL);
 DELETE FROM sync.snapshot_row AS r
   WHERE (r.snapshot_id = note_end.snapshot_id);
 UPDATE sync.accepted_snapshot AS a SET ended_at = clock_timestamp(), ended_why = note_end.why
   WHERE ((a.snapshot_id = note_end.snapshot_id) AND (a.ended_at IS NULL));
END;
COMMENT ON FUNCTION sync.note_end(snapshot_id uuid, of_node integer, why text) IS 'Notes that no more of a snapshot is taken. Callers use sync.end_snapshot.';

-- barcode barcode_pkey; Type: CONSTRAINT; Schema: catalog; Owner: tpv_owner
ALTER TABLE ONLY catalog.barcode
    ADD CONSTRAINT barcode_pkey PRIMARY KEY (barcode_id);

-- barcode_rule barcode_rule_pkey; Type: CONSTRAINT; Schema: catalog; Owner: tpv_owner
ALTER TABLE ONLY catalog.barcode_rule
    ADD CONSTRAINT barcode_rule_pkey PRIMARY KEY (barcode_rule_id);

-- local_code local_code_pkey; Type: CONSTRAINT; Schema: catalog; Owner: tpv_owner
ALTER TABLE ONLY catalog.local_code
    ADD CONSTRAINT local_code_pkey PRIMARY KEY (local_code_id);

-- price price_pkey; Type: CONSTRAINT; Schema: catalog; Owner: tpv_owner
ALTER TABLE ONLY catalog.price
    ADD CONSTRAINT price_pkey PRIMARY KEY (price_id);

-- product product_pkey; Type: CONSTRAINT; Schema: catalog; Owner: tpv_owner
ALTER TABLE ONLY catalog.product
    ADD CONSTRAINT product_pkey PRIMARY KEY (product_id);

-- tax tax_pkey; Type: CONSTRAINT; Schema: catalog; Owner: tpv_owner
ALTER TABLE ONLY catalog.tax
    ADD CONSTRAINT tax_pkey PRIMARY KEY (tax_id);

-- tax_rate tax_rate_pkey; Type: CONSTRAINT; Schema: catalog; Owner: tpv_owner
ALTER TABLE ONLY catalog.tax_rate
    ADD CONSTRAINT tax_rate_pkey PRIMARY KEY (tax_rate_id);

-- file file_pkey; Type: CONSTRAINT; Schema: dat; Owner: tpv_owner
ALTER TABLE ONLY dat.file
    ADD CONSTRAINT file_pkey PRIMARY KEY (node_id, receipt_id);

-- pending pending_pkey; Type: CONSTRAINT; Schema: dat; Owner: tpv_owner
ALTER TABLE ONLY dat.pending
    ADD CONSTRAINT pending_pkey PRIMARY KEY (pending_id);

-- profile profile_pkey; Type: CONSTRAINT; Schema: dat; Owner: tpv_owner
ALTER TABLE ONLY dat.profile
    ADD CONSTRAINT profile_pkey PRIMARY KEY (profile_id);

-- superseded superseded_pkey; Type: CONSTRAINT; Schema: dat; Owner: tpv_owner
ALTER TABLE ONLY dat.superseded
    ADD CONSTRAINT superseded_pkey PRIMARY KEY (superseded_id);

-- ban ban_pkey; Type: CONSTRAINT; Schema: org; Owner: tpv_owner
ALTER TABLE ONLY org.ban
    ADD CONSTRAINT ban_pkey PRIMARY KEY (ban_id);

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

-- store store_pkey; Type: CONSTRAINT; Schema: org; Owner: tpv_owner
ALTER TABLE ONLY org.store
    ADD CONSTRAINT store_pkey PRIMARY KEY (store_id);

-- terminal terminal_pkey; Type: CONSTRAINT; Schema: org; Owner: tpv_owner
ALTER TABLE ONLY org.terminal
    ADD CONSTRAINT terminal_pkey PRIMARY KEY (terminal_id);

-- customer customer_pkey; Type: CONSTRAINT; Schema: party; Owner: tpv_owner
ALTER TABLE ONLY party.customer
    ADD CONSTRAINT customer_pkey PRIMARY KEY (customer_id);

-- employee employee_pkey; Type: CONSTRAINT; Schema: party; Owner: tpv_owner
ALTER TABLE ONLY party.employee
    ADD CONSTRAINT employee_pkey PRIMARY KEY (employee_id);

-- bucket bucket_pkey; Type: CONSTRAINT; Schema: rollup; Owner: tpv_owner
ALTER TABLE ONLY rollup.bucket
    ADD CONSTRAINT bucket_pkey PRIMARY KEY (business_date, node_id, department);

-- due due_pkey; Type: CONSTRAINT; Schema: rollup; Owner: tpv_owner
ALTER TABLE ONLY rollup.due
    ADD CONSTRAINT due_pkey PRIMARY KEY (node_id, business_date, department);

-- item_day item_day_pkey; Type: CONSTRAINT; Schema: rollup; Owner: tpv_owner
ALTER TABLE ONLY rollup.item_day
    ADD CONSTRAINT item_day_pkey PRIMARY KEY (node_id, department, item, business_date);

-- item item_pkey; Type: CONSTRAINT; Schema: rollup; Owner: tpv_owner
ALTER TABLE ONLY rollup.item
    ADD CONSTRAINT item_pkey PRIMARY KEY (node_id, department, item);

-- restated restated_pkey; Type: CONSTRAINT; Schema: rollup; Owner: tpv_owner
ALTER TABLE ONLY rollup.restated
    ADD CONSTRAINT restated_pkey PRIMARY KEY (restated_id);

-- sales_hour sales_hour_pkey; Type: CONSTRAINT; Schema: rollup; Owner: tpv_owner
ALTER TABLE ONLY rollup.sales_hour
    ADD CONSTRAINT sales_hour_pkey PRIMARY KEY (business_date, node_id, department, hour);

-- tax_day tax_day_business_date_node_id_department_tax_rate_source_key; Type: CONSTRAINT; Schema: rollup; Owner: tpv_owner
ALTER TABLE ONLY rollup.tax_day
    ADD CONSTRAINT tax_day_business_date_node_id_department_tax_rate_source_key UNIQUE NULLS NOT DISTINCT (business_date, node_id, department, tax_rate, source);

-- terminal_day terminal_day_pkey; Type: CONSTRAINT; Schema: rollup; Owner: tpv_owner
ALTER TABLE ONLY rollup.terminal_day
    ADD CONSTRAINT terminal_day_pkey PRIMARY KEY (business_date, node_id, department, terminal);

-- until until_pkey; Type: CONSTRAINT; Schema: rollup; Owner: tpv_owner
ALTER TABLE ONLY rollup.until
    ADD CONSTRAINT until_pkey PRIMARY KEY (node_id);

-- day_close day_close_pkey; Type: CONSTRAINT; Schema: sales; Owner: tpv_owner
ALTER TABLE ONLY sales.day_close
    ADD CONSTRAINT day_close_pkey PRIMARY KEY (node_id, business_date);

-- early_event early_event_pkey; Type: CONSTRAINT; Schema: sales; Owner: tpv_owner
ALTER TABLE ONLY sales.early_event
    ADD CONSTRAINT early_event_pkey PRIMARY KEY (node_id, receipt_id);

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

-- block block_pkey; Type: CONSTRAINT; Schema: sec; Owner: tpv_owner
ALTER TABLE ONLY sec.block
    ADD CONSTRAINT block_pkey PRIMARY KEY (employee_id);

-- gateway_key gateway_key_pkey; Type: CONSTRAINT; Schema: sec; Owner: tpv_owner
ALTER TABLE ONLY sec.gateway_key
    ADD CONSTRAINT gateway_key_pkey PRIMARY KEY (gateway_key_id);

-- idempotency idempotency_pkey; Type: CONSTRAINT; Schema: sec; Owner: tpv_owner
ALTER TABLE ONLY sec.idempotency
    ADD CONSTRAINT idempotency_pkey PRIMARY KEY (actor, key);

-- issuer_key issuer_key_pkey; Type: CONSTRAINT; Schema: sec; Owner: tpv_owner
ALTER TABLE ONLY sec.issuer_key
    ADD CONSTRAINT issuer_key_pkey PRIMARY KEY (issuer_key_id);

-- login_scope login_scope_login_role_node_id_department_code_key; Type: CONSTRAINT; Schema: sec; Owner: tpv_owner
ALTER TABLE ONLY sec.login_scope
    ADD CONSTRAINT login_scope_login_role_node_id_department_code_key UNIQUE NULLS NOT DISTINCT (login, role, node_id, department_code);

-- password_link password_link_pkey; Type: CONSTRAINT; Schema: sec; Owner: tpv_owner
ALTER TABLE ONLY sec.password_link
    ADD CONSTRAINT password_link_pkey PRIMARY KEY (link_hash);

-- password password_pkey; Type: CONSTRAINT; Schema: sec; Owner: tpv_owner
ALTER TABLE ONLY sec.password
    ADD CONSTRAINT password_pkey PRIMARY KEY (employee_id);

-- permission permission_pkey; Type: CONSTRAINT; Schema: sec; Owner: tpv_owner
ALTER TABLE ONLY sec.permission
    ADD CONSTRAINT permission_pkey PRIMARY KEY (role, permission);

-- resource resource_pkey; Type: CONSTRAINT; Schema: sec; Owner: tpv_owner
ALTER TABLE ONLY sec.resource
    ADD CONSTRAINT resource_pkey PRIMARY KEY (name);

-- role_grant role_grant_pkey; Type: CONSTRAINT; Schema: sec; Owner: tpv_owner
ALTER TABLE ONLY sec.role_grant
    ADD CONSTRAINT role_grant_pkey PRIMARY KEY (role_grant_id);

-- role role_pkey; Type: CONSTRAINT; Schema: sec; Owner: tpv_owner
ALTER TABLE ONLY sec.role
    ADD CONSTRAINT role_pkey PRIMARY KEY (role);

-- role role_rank_key; Type: CONSTRAINT; Schema: sec; Owner: tpv_owner
ALTER TABLE ONLY sec.role
    ADD CONSTRAINT role_rank_key UNIQUE (rank);

-- sealing sealing_pkey; Type: CONSTRAINT; Schema: sec; Owner: tpv_owner
ALTER TABLE ONLY sec.sealing
    ADD CONSTRAINT sealing_pkey PRIMARY KEY (employee_id, node_id);

-- session session_pkey; Type: CONSTRAINT; Schema: sec; Owner: tpv_owner
ALTER TABLE ONLY sec.session
    ADD CONSTRAINT session_pkey PRIMARY KEY (session_id);

-- throttle throttle_pkey; Type: CONSTRAINT; Schema: sec; Owner: tpv_owner
ALTER TABLE ONLY sec.throttle
    ADD CONSTRAINT throttle_pkey PRIMARY KEY (subject);

-- verifier verifier_pkey; Type: CONSTRAINT; Schema: sec; Owner: tpv_owner
ALTER TABLE ONLY sec.verifier
    ADD CONSTRAINT verifier_pkey PRIMARY KEY (verifier_id);

-- accepted_drift accepted_drift_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.accepted_drift
    ADD CONSTRAINT accepted_drift_pkey PRIMARY KEY (accepted_drift_id);

-- accepted_snapshot accepted_snapshot_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.accepted_snapshot
    ADD CONSTRAINT accepted_snapshot_pkey PRIMARY KEY (snapshot_id);

-- arrival arrival_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.arrival
    ADD CONSTRAINT arrival_pkey PRIMARY KEY (node_id, what, subject, at);

-- awaited awaited_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.awaited
    ADD CONSTRAINT awaited_pkey PRIMARY KEY (node_id, seq);

-- beat_counter beat_counter_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.beat_counter
    ADD CONSTRAINT beat_counter_pkey PRIMARY KEY (node_id);

-- change_head change_head_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.change_head
    ADD CONSTRAINT change_head_pkey PRIMARY KEY (only_one);

-- change change_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.change
    ADD CONSTRAINT change_pkey PRIMARY KEY (pos);

-- claim claim_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.claim
    ADD CONSTRAINT claim_pkey PRIMARY KEY (value_hash);

-- clone clone_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.clone
    ADD CONSTRAINT clone_pkey PRIMARY KEY (node_id, life, from_node);

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

-- life life_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.life
    ADD CONSTRAINT life_pkey PRIMARY KEY (node_id, life);

-- loosening loosening_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.loosening
    ADD CONSTRAINT loosening_pkey PRIMARY KEY (loosening_id);

-- op_counter op_counter_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.op_counter
    ADD CONSTRAINT op_counter_pkey PRIMARY KEY (node_id);

-- outgoing outgoing_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.outgoing
    ADD CONSTRAINT outgoing_pkey PRIMARY KEY (nth);

-- own_chain own_chain_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.own_chain
    ADD CONSTRAINT own_chain_pkey PRIMARY KEY (chain);

-- own_said own_said_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.own_said
    ADD CONSTRAINT own_said_pkey PRIMARY KEY (node_id);

-- peer_chain peer_chain_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.peer_chain
    ADD CONSTRAINT peer_chain_pkey PRIMARY KEY (node_id, name);

-- peer_password peer_password_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.peer_password
    ADD CONSTRAINT peer_password_pkey PRIMARY KEY (node_id);

-- peer peer_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.peer
    ADD CONSTRAINT peer_pkey PRIMARY KEY (node_id);

-- peer peer_subscription_name_key; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.peer
    ADD CONSTRAINT peer_subscription_name_key UNIQUE (subscription_name);

-- peer_vector peer_vector_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.peer_vector
    ADD CONSTRAINT peer_vector_pkey PRIMARY KEY (node_id, writer_id);

-- policy policy_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.policy
    ADD CONSTRAINT policy_pkey PRIMARY KEY (policy_id);

-- policy policy_table_name_column_name_key; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.policy
    ADD CONSTRAINT policy_table_name_column_name_key UNIQUE (table_name, column_name);

-- pruned pruned_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.pruned
    ADD CONSTRAINT pruned_pkey PRIMARY KEY (node_id);

-- pruning pruning_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.pruning
    ADD CONSTRAINT pruning_pkey PRIMARY KEY (pruning_id);

-- quarantine quarantine_node_id_doc_id_business_date_key; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.quarantine
    ADD CONSTRAINT quarantine_node_id_doc_id_business_date_key UNIQUE (node_id, doc_id, business_date);

-- quarantine quarantine_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.quarantine
    ADD CONSTRAINT quarantine_pkey PRIMARY KEY (quarantine_id);

-- refusal refusal_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.refusal
    ADD CONSTRAINT refusal_pkey PRIMARY KEY (node_id, day);

-- request request_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.request
    ADD CONSTRAINT request_pkey PRIMARY KEY (node_id, what, subject);

-- resolution resolution_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.resolution
    ADD CONSTRAINT resolution_pkey PRIMARY KEY (resolution_id);

-- restored restored_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.restored
    ADD CONSTRAINT restored_pkey PRIMARY KEY (restored_id);

-- second_place second_place_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.second_place
    ADD CONSTRAINT second_place_pkey PRIMARY KEY (node_id, chain, chain_seq);

-- served served_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.served
    ADD CONSTRAINT served_pkey PRIMARY KEY (node_id);

-- server server_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.server
    ADD CONSTRAINT server_pkey PRIMARY KEY (node_id);

-- set_aside set_aside_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.set_aside
    ADD CONSTRAINT set_aside_pkey PRIMARY KEY (set_aside_id);

-- sibling sibling_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.sibling
    ADD CONSTRAINT sibling_pkey PRIMARY KEY (table_name, key, column_name, node_id, seq);

-- snapshot_row snapshot_row_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.snapshot_row
    ADD CONSTRAINT snapshot_row_pkey PRIMARY KEY (table_name, key, snapshot_id);

-- this_node this_node_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.this_node
    ADD CONSTRAINT this_node_pkey PRIMARY KEY (only_one);

-- tracked_table tracked_table_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.tracked_table
    ADD CONSTRAINT tracked_table_pkey PRIMARY KEY (table_name);

-- undone undone_pkey; Type: CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.undone
    ADD CONSTRAINT undone_pkey PRIMARY KEY (undone_id);

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

-- barcode_gtin14; Type: INDEX; Schema: catalog; Owner: tpv_owner
CREATE UNIQUE INDEX barcode_gtin14 ON catalog.barcode USING btree (gtin14) WHERE (NOT deleted);

-- barcode_rule_name; Type: INDEX; Schema: catalog; Owner: tpv_owner
CREATE UNIQUE INDEX barcode_rule_name ON catalog.barcode_rule USING btree (name) WHERE (NOT deleted);

-- local_code_code; Type: INDEX; Schema: catalog; Owner: tpv_owner
CREATE UNIQUE INDEX local_code_code ON catalog.local_code USING btree (code, node_id, department_code) NULLS NOT DISTINCT WHERE (NOT deleted);

-- price_product; Type: INDEX; Schema: catalog; Owner: tpv_owner
CREATE INDEX price_product ON catalog.price USING btree (product_id, valid_from);

-- product_sku; Type: INDEX; Schema: catalog; Owner: tpv_owner
CREATE UNIQUE INDEX product_sku ON catalog.product USING btree (sku) WHERE (NOT deleted);

-- tax_code; Type: INDEX; Schema: catalog; Owner: tpv_owner
CREATE UNIQUE INDEX tax_code ON catalog.tax USING btree (code) WHERE (NOT deleted);

-- tax_rate_tax; Type: INDEX; Schema: catalog; Owner: tpv_owner
CREATE INDEX tax_rate_tax ON catalog.tax_rate USING btree (tax_id, valid_from);

-- file_name; Type: INDEX; Schema: dat; Owner: tpv_owner
CREATE UNIQUE INDEX file_name ON dat.file USING btree (node_id, folder, lower(name));

-- pending_open; Type: INDEX; Schema: dat; Owner: tpv_owner
CREATE INDEX pending_open ON dat.pending USING btree (pending_id) WHERE (done_at IS NULL);

-- pending_receipt; Type: INDEX; Schema: dat; Owner: tpv_owner
CREATE INDEX pending_receipt ON dat.pending USING btree (receipt_id);

-- profile_version; Type: INDEX; Schema: dat; Owner: tpv_owner
CREATE UNIQUE INDEX profile_version ON dat.profile USING btree (node_id, department_code, version) NULLS NOT DISTINCT WHERE (NOT deleted);

-- superseded_receipt; Type: INDEX; Schema: dat; Owner: tpv_owner
CREATE INDEX superseded_receipt ON dat.superseded USING btree (node_id, receipt_id);

-- ban_node; Type: INDEX; Schema: org; Owner: tpv_owner
CREATE UNIQUE INDEX ban_node ON org.ban USING btree (node_id) WHERE ((lifted_at IS NULL) AND (NOT deleted));

-- department_code; Type: INDEX; Schema: org; Owner: tpv_owner
CREATE UNIQUE INDEX department_code ON org.department USING btree (node_id, code) WHERE (NOT deleted);

-- store_code; Type: INDEX; Schema: org; Owner: tpv_owner
CREATE UNIQUE INDEX store_code ON org.store USING btree (code) WHERE (NOT deleted);

-- store_node; Type: INDEX; Schema: org; Owner: tpv_owner
CREATE UNIQUE INDEX store_node ON org.store USING btree (node_id) WHERE (NOT deleted);

-- terminal_code; Type: INDEX; Schema: org; Owner: tpv_owner
CREATE UNIQUE INDEX terminal_code ON org.terminal USING btree (node_id, code) WHERE (NOT deleted);

-- customer_email_key; Type: INDEX; Schema: party; Owner: tpv_owner
CREATE INDEX customer_email_key ON party.customer USING btree ("left"(lower(email), 300)) WHERE (NOT deleted);

-- customer_name; Type: INDEX; Schema: party; Owner: tpv_owner
CREATE INDEX customer_name ON party.customer USING btree ("left"(lower(name), 100) COLLATE "C", customer_id) WHERE (NOT deleted);

-- customer_phone; Type: INDEX; Schema: party; Owner: tpv_owner
CREATE INDEX customer_phone ON party.customer USING btree ("left"(phone, 40)) WHERE (NOT deleted);

-- customer_same_email; Type: INDEX; Schema: party; Owner: tpv_owner
CREATE INDEX customer_same_email ON party.customer USING btree (lower(email)) WHERE ((NOT deleted) AND (alias_of IS NULL));

-- employee_code; Type: INDEX; Schema: party; Owner: tpv_owner
CREATE UNIQUE INDEX employee_code ON party.employee USING btree (code) WHERE (NOT deleted);

-- due_at; Type: INDEX; Schema: rollup; Owner: tpv_owner
CREATE INDEX due_at ON rollup.due USING btree (due_at);

-- item_barcode; Type: INDEX; Schema: rollup; Owner: tpv_owner
CREATE INDEX item_barcode ON rollup.item USING btree (btrim(barcode));

-- item_day_business_date; Type: INDEX; Schema: rollup; Owner: tpv_owner
CREATE INDEX item_day_business_date ON rollup.item_day USING btree (business_date, node_id, department);

-- item_item; Type: INDEX; Schema: rollup; Owner: tpv_owner
CREATE INDEX item_item ON rollup.item USING btree (item);

-- restated_business_date; Type: INDEX; Schema: rollup; Owner: tpv_owner
CREATE INDEX restated_business_date ON rollup.restated USING btree (business_date, node_id);

-- raw_receipt; Type: INDEX; Schema: sales; Owner: tpv_owner
CREATE INDEX raw_receipt ON sales.raw USING btree (receipt_id);

-- receipt_business_date; Type: INDEX; Schema: sales; Owner: tpv_owner
CREATE INDEX receipt_business_date ON sales.receipt USING btree (business_date, node_id);

-- receipt_department; Type: INDEX; Schema: sales; Owner: tpv_owner
CREATE INDEX receipt_department ON sales.receipt USING btree (node_id, department, receipt_id);

-- receipt_event_business_date; Type: INDEX; Schema: sales; Owner: tpv_owner
CREATE INDEX receipt_event_business_date ON sales.receipt_event USING brin (business_date);

-- receipt_held; Type: INDEX; Schema: sales; Owner: tpv_owner
CREATE INDEX receipt_held ON sales.receipt USING btree (node_id, receipt_id) WHERE (state = 'held'::text);

-- receipt_key_business_date; Type: INDEX; Schema: sales; Owner: tpv_owner
CREATE INDEX receipt_key_business_date ON sales.receipt_key USING brin (business_date);

-- receipt_line_business_date; Type: INDEX; Schema: sales; Owner: tpv_owner
CREATE INDEX receipt_line_business_date ON sales.receipt_line USING brin (business_date);

-- receipt_number; Type: INDEX; Schema: sales; Owner: tpv_owner
CREATE INDEX receipt_number ON sales.receipt USING btree (node_id, receipt_number);

-- audit_at; Type: INDEX; Schema: sec; Owner: tpv_owner
CREATE INDEX audit_at ON sec.audit USING btree (at);

-- gateway_key_node; Type: INDEX; Schema: sec; Owner: tpv_owner
CREATE UNIQUE INDEX gateway_key_node ON sec.gateway_key USING btree (node_id) WHERE (NOT deleted);

-- idempotency_made; Type: INDEX; Schema: sec; Owner: tpv_owner
CREATE INDEX idempotency_made ON sec.idempotency USING btree (made_at);

-- issuer_key_kid; Type: INDEX; Schema: sec; Owner: tpv_owner
CREATE UNIQUE INDEX issuer_key_kid ON sec.issuer_key USING btree (kid) WHERE (NOT deleted);

-- role_grant_employee; Type: INDEX; Schema: sec; Owner: tpv_owner
CREATE INDEX role_grant_employee ON sec.role_grant USING btree (employee_id);

-- session_employee; Type: INDEX; Schema: sec; Owner: tpv_owner
CREATE INDEX session_employee ON sec.session USING btree (employee_id) WHERE (ended_at IS NULL);

-- verifier_employee; Type: INDEX; Schema: sec; Owner: tpv_owner
CREATE UNIQUE INDEX verifier_employee ON sec.verifier USING btree (employee_id, node_id) WHERE (NOT deleted);

-- accepted_drift_node; Type: INDEX; Schema: sync; Owner: tpv_owner
CREATE INDEX accepted_drift_node ON sync.accepted_drift USING btree (node_id, what, subject);

-- accepted_snapshot_open; Type: INDEX; Schema: sync; Owner: tpv_owner
CREATE UNIQUE INDEX accepted_snapshot_open ON sync.accepted_snapshot USING btree (node_id) WHERE (ended_at IS NULL);

-- awaited_by_node; Type: INDEX; Schema: sync; Owner: tpv_owner
CREATE INDEX awaited_by_node ON sync.awaited USING btree (by_node);

-- change_at; Type: INDEX; Schema: sync; Owner: tpv_owner
CREATE INDEX change_at ON sync.change USING brin (at);

-- drift_open; Type: INDEX; Schema: sync; Owner: tpv_owner
CREATE UNIQUE INDEX drift_open ON sync.drift USING btree (node_id, what, subject) WHERE (resolved_at IS NULL);

-- head_contested; Type: INDEX; Schema: sync; Owner: tpv_owner
CREATE INDEX head_contested ON sync.head USING btree (table_name, key) WHERE contested;

-- head_lost; Type: INDEX; Schema: sync; Owner: tpv_owner
CREATE INDEX head_lost ON sync.head USING btree (table_name, key) WHERE (lost_at IS NOT NULL);

-- life_current; Type: INDEX; Schema: sync; Owner: tpv_owner
CREATE UNIQUE INDEX life_current ON sync.life USING btree (node_id) WHERE (state = 'current'::text);

-- loosening_key; Type: INDEX; Schema: sync; Owner: tpv_owner
CREATE INDEX loosening_key ON sync.loosening USING btree (key);

-- outgoing_to_node; Type: INDEX; Schema: sync; Owner: tpv_owner
CREATE INDEX outgoing_to_node ON sync.outgoing USING btree (to_node, nth);

-- quarantine_op; Type: INDEX; Schema: sync; Owner: tpv_owner
CREATE UNIQUE INDEX quarantine_op ON sync.quarantine USING btree (node_id, seq) WHERE (seq IS NOT NULL);

-- quarantine_waits; Type: INDEX; Schema: sync; Owner: tpv_owner
CREATE INDEX quarantine_waits ON sync.quarantine USING btree (node_id, try_at, quarantine_id) WHERE ((resolved_at IS NULL) AND (refused IS NULL));

-- resolution_key; Type: INDEX; Schema: sync; Owner: tpv_owner
CREATE INDEX resolution_key ON sync.resolution USING btree (table_name, key);

-- restored_open; Type: INDEX; Schema: sync; Owner: tpv_owner
CREATE UNIQUE INDEX restored_open ON sync.restored USING btree ((true)) WHERE (ended_at IS NULL);

-- set_aside_key; Type: INDEX; Schema: sync; Owner: tpv_owner
CREATE INDEX set_aside_key ON sync.set_aside USING btree (table_name, key);

-- snapshot_row_snapshot; Type: INDEX; Schema: sync; Owner: tpv_owner
CREATE INDEX snapshot_row_snapshot ON sync.snapshot_row USING btree (snapshot_id);

-- undone_key; Type: INDEX; Schema: sync; Owner: tpv_owner
CREATE INDEX undone_key ON sync.undone USING btree (table_name, key);

-- doc_chain; Type: INDEX; Schema: wire; Owner: tpv_owner
CREATE INDEX doc_chain ON ONLY wire.doc USING btree (node_id, chain, chain_seq);

-- doc_to_node; Type: INDEX; Schema: wire; Owner: tpv_owner
CREATE INDEX doc_to_node ON ONLY wire.doc USING btree (to_node, node_id, chain, chain_seq) WHERE (to_node IS NOT NULL);

-- doc_default_node_id_chain_chain_seq_idx; Type: INDEX; Schema: wire; Owner: tpv_owner
CREATE INDEX doc_default_node_id_chain_chain_seq_idx ON wire.doc_default USING btree (node_id, chain, chain_seq);

-- doc_default_to_node_node_id_chain_chain_seq_idx; Type: INDEX; Schema: wire; Owner: tpv_owner
CREATE INDEX doc_default_to_node_node_id_chain_chain_seq_idx ON wire.doc_default USING btree (to_node, node_id, chain, chain_seq) WHERE (to_node IS NOT NULL);

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

-- doc_default_to_node_node_id_chain_chain_seq_idx; Type: INDEX ATTACH; Schema: wire; Owner: tpv_owner
ALTER INDEX wire.doc_to_node ATTACH PARTITION wire.doc_default_to_node_node_id_chain_chain_seq_idx;

-- op_1_pkey; Type: INDEX ATTACH; Schema: wire; Owner: tpv_owner
ALTER INDEX wire.op_pkey ATTACH PARTITION wire.op_1_pkey;

-- op_1_table_name_key_idx; Type: INDEX ATTACH; Schema: wire; Owner: tpv_owner
ALTER INDEX wire.op_key ATTACH PARTITION wire.op_1_table_name_key_idx;

-- op_default_pkey; Type: INDEX ATTACH; Schema: wire; Owner: tpv_owner
ALTER INDEX wire.op_pkey ATTACH PARTITION wire.op_default_pkey;

-- op_default_table_name_key_idx; Type: INDEX ATTACH; Schema: wire; Owner: tpv_owner
ALTER INDEX wire.op_key ATTACH PARTITION wire.op_default_table_name_key_idx;

-- barcode _100_guard; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _100_guard BEFORE INSERT OR UPDATE ON catalog.barcode FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.guard();

-- barcode_rule _100_guard; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _100_guard BEFORE INSERT OR UPDATE ON catalog.barcode_rule FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.guard();

-- local_code _100_guard; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _100_guard BEFORE INSERT OR UPDATE ON catalog.local_code FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.guard();

-- price _100_guard; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _100_guard BEFORE INSERT OR UPDATE ON catalog.price FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.guard();

-- product _100_guard; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _100_guard BEFORE INSERT OR UPDATE ON catalog.product FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.guard();

-- tax _100_guard; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _100_guard BEFORE INSERT OR UPDATE ON catalog.tax FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.guard();

-- tax_rate _100_guard; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _100_guard BEFORE INSERT OR UPDATE ON catalog.tax_rate FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.guard();

-- barcode _100_guard_delete; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _100_guard_delete BEFORE DELETE ON catalog.barcode FOR EACH ROW EXECUTE FUNCTION sync.guard();

-- barcode_rule _100_guard_delete; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _100_guard_delete BEFORE DELETE ON catalog.barcode_rule FOR EACH ROW EXECUTE FUNCTION sync.guard();

-- local_code _100_guard_delete; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _100_guard_delete BEFORE DELETE ON catalog.local_code FOR EACH ROW EXECUTE FUNCTION sync.guard();

-- price _100_guard_delete; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _100_guard_delete BEFORE DELETE ON catalog.price FOR EACH ROW EXECUTE FUNCTION sync.guard();

-- product _100_guard_delete; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _100_guard_delete BEFORE DELETE ON catalog.product FOR EACH ROW EXECUTE FUNCTION sync.guard();

-- tax _100_guard_delete; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _100_guard_delete BEFORE DELETE ON catalog.tax FOR EACH ROW EXECUTE FUNCTION sync.guard();

-- tax_rate _100_guard_delete; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _100_guard_delete BEFORE DELETE ON catalog.tax_rate FOR EACH ROW EXECUTE FUNCTION sync.guard();

-- barcode _100_guard_key; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _100_guard_key BEFORE UPDATE ON catalog.barcode FOR EACH ROW WHEN ((old.barcode_id IS DISTINCT FROM new.barcode_id)) EXECUTE FUNCTION sync.refuse_key_change();

-- barcode_rule _100_guard_key; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _100_guard_key BEFORE UPDATE ON catalog.barcode_rule FOR EACH ROW WHEN ((old.barcode_rule_id IS DISTINCT FROM new.barcode_rule_id)) EXECUTE FUNCTION sync.refuse_key_change();

-- local_code _100_guard_key; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _100_guard_key BEFORE UPDATE ON catalog.local_code FOR EACH ROW WHEN ((old.local_code_id IS DISTINCT FROM new.local_code_id)) EXECUTE FUNCTION sync.refuse_key_change();

-- price _100_guard_key; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _100_guard_key BEFORE UPDATE ON catalog.price FOR EACH ROW WHEN ((old.price_id IS DISTINCT FROM new.price_id)) EXECUTE FUNCTION sync.refuse_key_change();

-- product _100_guard_key; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _100_guard_key BEFORE UPDATE ON catalog.product FOR EACH ROW WHEN ((old.product_id IS DISTINCT FROM new.product_id)) EXECUTE FUNCTION sync.refuse_key_change();

-- tax _100_guard_key; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _100_guard_key BEFORE UPDATE ON catalog.tax FOR EACH ROW WHEN ((old.tax_id IS DISTINCT FROM new.tax_id)) EXECUTE FUNCTION sync.refuse_key_change();

-- tax_rate _100_guard_key; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _100_guard_key BEFORE UPDATE ON catalog.tax_rate FOR EACH ROW WHEN ((old.tax_rate_id IS DISTINCT FROM new.tax_rate_id)) EXECUTE FUNCTION sync.refuse_key_change();

-- barcode _100_guard_truncate; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _100_guard_truncate BEFORE TRUNCATE ON catalog.barcode FOR EACH STATEMENT EXECUTE FUNCTION sync.guard();

-- barcode_rule _100_guard_truncate; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _100_guard_truncate BEFORE TRUNCATE ON catalog.barcode_rule FOR EACH STATEMENT EXECUTE FUNCTION sync.guard();

-- local_code _100_guard_truncate; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _100_guard_truncate BEFORE TRUNCATE ON catalog.local_code FOR EACH STATEMENT EXECUTE FUNCTION sync.guard();

-- price _100_guard_truncate; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _100_guard_truncate BEFORE TRUNCATE ON catalog.price FOR EACH STATEMENT EXECUTE FUNCTION sync.guard();

-- product _100_guard_truncate; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _100_guard_truncate BEFORE TRUNCATE ON catalog.product FOR EACH STATEMENT EXECUTE FUNCTION sync.guard();

-- tax _100_guard_truncate; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _100_guard_truncate BEFORE TRUNCATE ON catalog.tax FOR EACH STATEMENT EXECUTE FUNCTION sync.guard();

-- tax_rate _100_guard_truncate; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _100_guard_truncate BEFORE TRUNCATE ON catalog.tax_rate FOR EACH STATEMENT EXECUTE FUNCTION sync.guard();

-- barcode_rule _150_check; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _150_check BEFORE INSERT OR UPDATE ON catalog.barcode_rule FOR EACH ROW EXECUTE FUNCTION catalog.check_rule();
ALTER TABLE catalog.barcode_rule ENABLE ALWAYS TRIGGER _150_check;

-- barcode_rule _300_place; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _300_place AFTER INSERT OR UPDATE OF node_id, department_code, deleted ON catalog.barcode_rule FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION org.check_place();

-- local_code _300_place; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _300_place AFTER INSERT OR UPDATE OF node_id, department_code, deleted ON catalog.local_code FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION org.check_place();

-- barcode _900_capture; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE CONSTRAINT TRIGGER _900_capture AFTER INSERT OR UPDATE ON catalog.barcode DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.capture();

-- barcode_rule _900_capture; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE CONSTRAINT TRIGGER _900_capture AFTER INSERT OR UPDATE ON catalog.barcode_rule DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.capture();

-- local_code _900_capture; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE CONSTRAINT TRIGGER _900_capture AFTER INSERT OR UPDATE ON catalog.local_code DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.capture();

-- price _900_capture; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE CONSTRAINT TRIGGER _900_capture AFTER INSERT OR UPDATE ON catalog.price DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.capture();

-- product _900_capture; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE CONSTRAINT TRIGGER _900_capture AFTER INSERT OR UPDATE ON catalog.product DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.capture();

-- tax _900_capture; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE CONSTRAINT TRIGGER _900_capture AFTER INSERT OR UPDATE ON catalog.tax DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.capture();

-- tax_rate _900_capture; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE CONSTRAINT TRIGGER _900_capture AFTER INSERT OR UPDATE ON catalog.tax_rate DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.capture();

-- barcode _950_touched; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _950_touched AFTER INSERT OR UPDATE ON catalog.barcode FOR EACH ROW EXECUTE FUNCTION sync.note_touched('barcode_id');
ALTER TABLE catalog.barcode ENABLE ALWAYS TRIGGER _950_touched;

-- barcode_rule _950_touched; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _950_touched AFTER INSERT OR UPDATE ON catalog.barcode_rule FOR EACH ROW EXECUTE FUNCTION sync.note_touched('barcode_rule_id');
ALTER TABLE catalog.barcode_rule ENABLE ALWAYS TRIGGER _950_touched;

-- local_code _950_touched; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _950_touched AFTER INSERT OR UPDATE ON catalog.local_code FOR EACH ROW EXECUTE FUNCTION sync.note_touched('local_code_id');
ALTER TABLE catalog.local_code ENABLE ALWAYS TRIGGER _950_touched;

-- price _950_touched; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _950_touched AFTER INSERT OR UPDATE ON catalog.price FOR EACH ROW EXECUTE FUNCTION sync.note_touched('price_id');
ALTER TABLE catalog.price ENABLE ALWAYS TRIGGER _950_touched;

-- product _950_touched; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _950_touched AFTER INSERT OR UPDATE ON catalog.product FOR EACH ROW EXECUTE FUNCTION sync.note_touched('product_id');
ALTER TABLE catalog.product ENABLE ALWAYS TRIGGER _950_touched;

-- tax _950_touched; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _950_touched AFTER INSERT OR UPDATE ON catalog.tax FOR EACH ROW EXECUTE FUNCTION sync.note_touched('tax_id');
ALTER TABLE catalog.tax ENABLE ALWAYS TRIGGER _950_touched;

-- tax_rate _950_touched; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _950_touched AFTER INSERT OR UPDATE ON catalog.tax_rate FOR EACH ROW EXECUTE FUNCTION sync.note_touched('tax_rate_id');
ALTER TABLE catalog.tax_rate ENABLE ALWAYS TRIGGER _950_touched;

-- barcode _960_guess; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _960_guess AFTER INSERT ON catalog.barcode FOR EACH ROW EXECUTE FUNCTION rollup.note_guess();
ALTER TABLE catalog.barcode ENABLE ALWAYS TRIGGER _960_guess;

-- barcode_rule _960_guess; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _960_guess AFTER INSERT ON catalog.barcode_rule FOR EACH ROW EXECUTE FUNCTION rollup.note_guess();
ALTER TABLE catalog.barcode_rule ENABLE ALWAYS TRIGGER _960_guess;

-- local_code _960_guess; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _960_guess AFTER INSERT ON catalog.local_code FOR EACH ROW EXECUTE FUNCTION rollup.note_guess();
ALTER TABLE catalog.local_code ENABLE ALWAYS TRIGGER _960_guess;

-- product _960_guess; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _960_guess AFTER INSERT ON catalog.product FOR EACH ROW EXECUTE FUNCTION rollup.note_guess();
ALTER TABLE catalog.product ENABLE ALWAYS TRIGGER _960_guess;

-- tax _960_guess; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _960_guess AFTER INSERT ON catalog.tax FOR EACH ROW EXECUTE FUNCTION rollup.note_guess();
ALTER TABLE catalog.tax ENABLE ALWAYS TRIGGER _960_guess;

-- tax_rate _960_guess; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _960_guess AFTER INSERT ON catalog.tax_rate FOR EACH ROW EXECUTE FUNCTION rollup.note_guess();
ALTER TABLE catalog.tax_rate ENABLE ALWAYS TRIGGER _960_guess;

-- barcode _961_guess; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _961_guess AFTER UPDATE ON catalog.barcode FOR EACH ROW WHEN (((old.gtin14 IS DISTINCT FROM new.gtin14) OR (old.product_id IS DISTINCT FROM new.product_id) OR (old.deleted IS DISTINCT FROM new.deleted))) EXECUTE FUNCTION rollup.note_guess();
ALTER TABLE catalog.barcode ENABLE ALWAYS TRIGGER _961_guess;

-- barcode_rule _961_guess; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _961_guess AFTER UPDATE ON catalog.barcode_rule FOR EACH ROW EXECUTE FUNCTION rollup.note_guess();
ALTER TABLE catalog.barcode_rule ENABLE ALWAYS TRIGGER _961_guess;

-- local_code _961_guess; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _961_guess AFTER UPDATE ON catalog.local_code FOR EACH ROW WHEN (((old.code IS DISTINCT FROM new.code) OR (old.node_id IS DISTINCT FROM new.node_id) OR (old.department_code IS DISTINCT FROM new.department_code) OR (old.product_id IS DISTINCT FROM new.product_id) OR (old.deleted IS DISTINCT FROM new.deleted))) EXECUTE FUNCTION rollup.note_guess();
ALTER TABLE catalog.local_code ENABLE ALWAYS TRIGGER _961_guess;

-- product _961_guess; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _961_guess AFTER UPDATE ON catalog.product FOR EACH ROW WHEN (((old.tax_id IS DISTINCT FROM new.tax_id) OR (old.deleted IS DISTINCT FROM new.deleted))) EXECUTE FUNCTION rollup.note_guess();
ALTER TABLE catalog.product ENABLE ALWAYS TRIGGER _961_guess;

-- tax _961_guess; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _961_guess AFTER UPDATE ON catalog.tax FOR EACH ROW WHEN ((old.deleted IS DISTINCT FROM new.deleted)) EXECUTE FUNCTION rollup.note_guess();
ALTER TABLE catalog.tax ENABLE ALWAYS TRIGGER _961_guess;

-- tax_rate _961_guess; Type: TRIGGER; Schema: catalog; Owner: tpv_owner
CREATE TRIGGER _961_guess AFTER UPDATE ON catalog.tax_rate FOR EACH ROW WHEN (((old.tax_id IS DISTINCT FROM new.tax_id) OR (old.rate IS DISTINCT FROM new.rate) OR (old.valid_from IS DISTINCT FROM new.valid_from) OR (old.deleted IS DISTINCT FROM new.deleted))) EXECUTE FUNCTION rollup.note_guess();
ALTER TABLE catalog.tax_rate ENABLE ALWAYS TRIGGER _961_guess;

-- profile _100_guard; Type: TRIGGER; Schema: dat; Owner: tpv_owner
CREATE TRIGGER _100_guard BEFORE INSERT OR UPDATE ON dat.profile FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.guard();

-- profile _100_guard_delete; Type: TRIGGER; Schema: dat; Owner: tpv_owner
CREATE TRIGGER _100_guard_delete BEFORE DELETE ON dat.profile FOR EACH ROW EXECUTE FUNCTION sync.guard();

-- profile _100_guard_key; Type: TRIGGER; Schema: dat; Owner: tpv_owner
CREATE TRIGGER _100_guard_key BEFORE UPDATE ON dat.profile FOR EACH ROW WHEN ((old.profile_id IS DISTINCT FROM new.profile_id)) EXECUTE FUNCTION sync.refuse_key_change();

-- profile _100_guard_truncate; Type: TRIGGER; Schema: dat; Owner: tpv_owner
CREATE TRIGGER _100_guard_truncate BEFORE TRUNCATE ON dat.profile FOR EACH STATEMENT EXECUTE FUNCTION sync.guard();

-- profile _150_check; Type: TRIGGER; Schema: dat; Owner: tpv_owner
CREATE TRIGGER _150_check BEFORE INSERT OR UPDATE ON dat.profile FOR EACH ROW EXECUTE FUNCTION dat.check_profile();
ALTER TABLE dat.profile ENABLE ALWAYS TRIGGER _150_check;

-- profile _300_place; Type: TRIGGER; Schema: dat; Owner: tpv_owner
CREATE TRIGGER _300_place AFTER INSERT OR UPDATE OF node_id, department_code, deleted ON dat.profile FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION org.check_place();

-- profile _900_capture; Type: TRIGGER; Schema: dat; Owner: tpv_owner
CREATE CONSTRAINT TRIGGER _900_capture AFTER INSERT OR UPDATE ON dat.profile DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.capture();

-- profile _950_touched; Type: TRIGGER; Schema: dat; Owner: tpv_owner
CREATE TRIGGER _950_touched AFTER INSERT OR UPDATE ON dat.profile FOR EACH ROW EXECUTE FUNCTION sync.note_touched('profile_id');
ALTER TABLE dat.profile ENABLE ALWAYS TRIGGER _950_touched;

-- ban _000_forget; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE TRIGGER _000_forget AFTER INSERT OR DELETE OR UPDATE ON org.ban FOR EACH ROW EXECUTE FUNCTION tpv.forget_rules();
ALTER TABLE org.ban ENABLE ALWAYS TRIGGER _000_forget;

-- node _000_forget; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE TRIGGER _000_forget AFTER INSERT OR DELETE OR UPDATE ON org.node FOR EACH ROW EXECUTE FUNCTION tpv.forget_rules();
ALTER TABLE org.node ENABLE ALWAYS TRIGGER _000_forget;

-- ban _100_guard; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE TRIGGER _100_guard BEFORE INSERT OR UPDATE ON org.ban FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.guard();

-- department _100_guard; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE TRIGGER _100_guard BEFORE INSERT OR UPDATE ON org.department FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.guard();

-- legal_entity _100_guard; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE TRIGGER _100_guard BEFORE INSERT OR UPDATE ON org.legal_entity FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.guard();

-- store _100_guard; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE TRIGGER _100_guard BEFORE INSERT OR UPDATE ON org.store FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.guard();

-- terminal _100_guard; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE TRIGGER _100_guard BEFORE INSERT OR UPDATE ON org.terminal FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.guard();

-- ban _100_guard_delete; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE TRIGGER _100_guard_delete BEFORE DELETE ON org.ban FOR EACH ROW EXECUTE FUNCTION sync.guard();

-- department _100_guard_delete; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE TRIGGER _100_guard_delete BEFORE DELETE ON org.department FOR EACH ROW EXECUTE FUNCTION sync.guard();

-- legal_entity _100_guard_delete; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE TRIGGER _100_guard_delete BEFORE DELETE ON org.legal_entity FOR EACH ROW EXECUTE FUNCTION sync.guard();

-- store _100_guard_delete; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE TRIGGER _100_guard_delete BEFORE DELETE ON org.store FOR EACH ROW EXECUTE FUNCTION sync.guard();

-- terminal _100_guard_delete; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE TRIGGER _100_guard_delete BEFORE DELETE ON org.terminal FOR EACH ROW EXECUTE FUNCTION sync.guard();

-- ban _100_guard_key; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE TRIGGER _100_guard_key BEFORE UPDATE ON org.ban FOR EACH ROW WHEN ((old.ban_id IS DISTINCT FROM new.ban_id)) EXECUTE FUNCTION sync.refuse_key_change();

-- department _100_guard_key; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE TRIGGER _100_guard_key BEFORE UPDATE ON org.department FOR EACH ROW WHEN ((old.department_id IS DISTINCT FROM new.department_id)) EXECUTE FUNCTION sync.refuse_key_change();

-- legal_entity _100_guard_key; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE TRIGGER _100_guard_key BEFORE UPDATE ON org.legal_entity FOR EACH ROW WHEN ((old.legal_entity_id IS DISTINCT FROM new.legal_entity_id)) EXECUTE FUNCTION sync.refuse_key_change();

-- store _100_guard_key; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE TRIGGER _100_guard_key BEFORE UPDATE ON org.store FOR EACH ROW WHEN ((old.store_id IS DISTINCT FROM new.store_id)) EXECUTE FUNCTION sync.refuse_key_change();

-- terminal _100_guard_key; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE TRIGGER _100_guard_key BEFORE UPDATE ON org.terminal FOR EACH ROW WHEN ((old.terminal_id IS DISTINCT FROM new.terminal_id)) EXECUTE FUNCTION sync.refuse_key_change();

-- ban _100_guard_truncate; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE TRIGGER _100_guard_truncate BEFORE TRUNCATE ON org.ban FOR EACH STATEMENT EXECUTE FUNCTION sync.guard();

-- department _100_guard_truncate; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE TRIGGER _100_guard_truncate BEFORE TRUNCATE ON org.department FOR EACH STATEMENT EXECUTE FUNCTION sync.guard();

-- legal_entity _100_guard_truncate; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE TRIGGER _100_guard_truncate BEFORE TRUNCATE ON org.legal_entity FOR EACH STATEMENT EXECUTE FUNCTION sync.guard();

-- store _100_guard_truncate; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE TRIGGER _100_guard_truncate BEFORE TRUNCATE ON org.store FOR EACH STATEMENT EXECUTE FUNCTION sync.guard();

-- terminal _100_guard_truncate; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE TRIGGER _100_guard_truncate BEFORE TRUNCATE ON org.terminal FOR EACH STATEMENT EXECUTE FUNCTION sync.guard();

-- terminal _150_check; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE TRIGGER _150_check BEFORE INSERT OR UPDATE ON org.terminal FOR EACH ROW EXECUTE FUNCTION org.check_declaration();
ALTER TABLE org.terminal ENABLE ALWAYS TRIGGER _150_check;

-- store _200_dates; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE TRIGGER _200_dates BEFORE INSERT OR UPDATE OF node_id, timezone, cutoff_hour ON org.store FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION org.keep_dates();

-- department _300_place; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE TRIGGER _300_place AFTER INSERT OR UPDATE OF node_id, deleted ON org.department FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION org.check_place();

-- terminal _300_place; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE TRIGGER _300_place AFTER INSERT OR UPDATE OF node_id, department_code, deleted ON org.terminal FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION org.check_place();

-- department _310_vacant; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE CONSTRAINT TRIGGER _310_vacant AFTER UPDATE OF node_id, code, deleted ON org.department DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION org.check_vacant();

-- store _310_vacant; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE CONSTRAINT TRIGGER _310_vacant AFTER UPDATE OF node_id, deleted ON org.store DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION org.check_vacant();

-- ban _900_capture; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE CONSTRAINT TRIGGER _900_capture AFTER INSERT OR UPDATE ON org.ban DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.capture();

-- department _900_capture; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE CONSTRAINT TRIGGER _900_capture AFTER INSERT OR UPDATE ON org.department DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.capture();

-- legal_entity _900_capture; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE CONSTRAINT TRIGGER _900_capture AFTER INSERT OR UPDATE ON org.legal_entity DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.capture();

-- store _900_capture; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE CONSTRAINT TRIGGER _900_capture AFTER INSERT OR UPDATE ON org.store DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.capture();

-- terminal _900_capture; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE CONSTRAINT TRIGGER _900_capture AFTER INSERT OR UPDATE ON org.terminal DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.capture();

-- ban _950_touched; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE TRIGGER _950_touched AFTER INSERT OR UPDATE ON org.ban FOR EACH ROW EXECUTE FUNCTION sync.note_touched('ban_id');
ALTER TABLE org.ban ENABLE ALWAYS TRIGGER _950_touched;

-- department _950_touched; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE TRIGGER _950_touched AFTER INSERT OR UPDATE ON org.department FOR EACH ROW EXECUTE FUNCTION sync.note_touched('department_id');
ALTER TABLE org.department ENABLE ALWAYS TRIGGER _950_touched;

-- legal_entity _950_touched; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE TRIGGER _950_touched AFTER INSERT OR UPDATE ON org.legal_entity FOR EACH ROW EXECUTE FUNCTION sync.note_touched('legal_entity_id');
ALTER TABLE org.legal_entity ENABLE ALWAYS TRIGGER _950_touched;

-- store _950_touched; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE TRIGGER _950_touched AFTER INSERT OR UPDATE ON org.store FOR EACH ROW EXECUTE FUNCTION sync.note_touched('store_id');
ALTER TABLE org.store ENABLE ALWAYS TRIGGER _950_touched;

-- terminal _950_touched; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE TRIGGER _950_touched AFTER INSERT OR UPDATE ON org.terminal FOR EACH ROW EXECUTE FUNCTION sync.note_touched('terminal_id');
ALTER TABLE org.terminal ENABLE ALWAYS TRIGGER _950_touched;

-- department _960_guess; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE TRIGGER _960_guess AFTER INSERT ON org.department FOR EACH ROW EXECUTE FUNCTION rollup.note_guess();
ALTER TABLE org.department ENABLE ALWAYS TRIGGER _960_guess;

-- department _961_guess; Type: TRIGGER; Schema: org; Owner: tpv_owner
CREATE TRIGGER _961_guess AFTER UPDATE ON org.department FOR EACH ROW WHEN (((old.node_id IS DISTINCT FROM new.node_id) OR (old.code IS DISTINCT FROM new.code) OR (old.tax_id IS DISTINCT FROM new.tax_id) OR (old.deleted IS DISTINCT FROM new.deleted))) EXECUTE FUNCTION rollup.note_guess();
ALTER TABLE org.department ENABLE ALWAYS TRIGGER _961_guess;

-- employee _100_guard; Type: TRIGGER; Schema: party; Owner: tpv_owner
CREATE TRIGGER _100_guard BEFORE INSERT OR UPDATE ON party.employee FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.guard();

-- customer _100_guard_delete; Type: TRIGGER; Schema: party; Owner: tpv_owner
CREATE TRIGGER _100_guard_delete BEFORE DELETE ON party.customer FOR EACH ROW EXECUTE FUNCTION sync.guard();

-- employee _100_guard_delete; Type: TRIGGER; Schema: party; Owner: tpv_owner
CREATE TRIGGER _100_guard_delete BEFORE DELETE ON party.employee FOR EACH ROW EXECUTE FUNCTION sync.guard();

-- customer _100_guard_key; Type: TRIGGER; Schema: party; Owner: tpv_owner
CREATE TRIGGER _100_guard_key BEFORE UPDATE ON party.customer FOR EACH ROW WHEN ((old.customer_id IS DISTINCT FROM new.customer_id)) EXECUTE FUNCTION sync.refuse_key_change();

-- employee _100_guard_key; Type: TRIGGER; Schema: party; Owner: tpv_owner
CREATE TRIGGER _100_guard_key BEFORE UPDATE ON party.employee FOR EACH ROW WHEN ((old.employee_id IS DISTINCT FROM new.employee_id)) EXECUTE FUNCTION sync.refuse_key_change();

-- customer _100_guard_truncate; Type: TRIGGER; Schema: party; Owner: tpv_owner
CREATE TRIGGER _100_guard_truncate BEFORE TRUNCATE ON party.customer FOR EACH STATEMENT EXECUTE FUNCTION sync.guard();

-- employee _100_guard_truncate; Type: TRIGGER; Schema: party; Owner: tpv_owner
CREATE TRIGGER _100_guard_truncate BEFORE TRUNCATE ON party.employee FOR EACH STATEMENT EXECUTE FUNCTION sync.guard();

-- employee _150_authz; Type: TRIGGER; Schema: party; Owner: tpv_owner
CREATE TRIGGER _150_authz BEFORE UPDATE OF active, deleted ON party.employee FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION party.count_authz();

-- customer _200_check; Type: TRIGGER; Schema: party; Owner: tpv_owner
CREATE TRIGGER _200_check BEFORE INSERT OR UPDATE ON party.customer FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.check_row();

-- customer _900_capture; Type: TRIGGER; Schema: party; Owner: tpv_owner
CREATE CONSTRAINT TRIGGER _900_capture AFTER INSERT OR UPDATE ON party.customer DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.capture();

-- employee _900_capture; Type: TRIGGER; Schema: party; Owner: tpv_owner
CREATE CONSTRAINT TRIGGER _900_capture AFTER INSERT OR UPDATE ON party.employee DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.capture();

-- customer _950_touched; Type: TRIGGER; Schema: party; Owner: tpv_owner
CREATE TRIGGER _950_touched AFTER INSERT OR UPDATE ON party.customer FOR EACH ROW EXECUTE FUNCTION sync.note_touched('customer_id');
ALTER TABLE party.customer ENABLE ALWAYS TRIGGER _950_touched;

-- employee _950_touched; Type: TRIGGER; Schema: party; Owner: tpv_owner
CREATE TRIGGER _950_touched AFTER INSERT OR UPDATE ON party.employee FOR EACH ROW EXECUTE FUNCTION sync.note_touched('employee_id');
ALTER TABLE party.employee ENABLE ALWAYS TRIGGER _950_touched;

-- gateway_key _100_guard; Type: TRIGGER; Schema: sec; Owner: tpv_owner
CREATE TRIGGER _100_guard BEFORE INSERT OR UPDATE ON sec.gateway_key FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.guard();

-- issuer_key _100_guard; Type: TRIGGER; Schema: sec; Owner: tpv_owner
CREATE TRIGGER _100_guard BEFORE INSERT OR UPDATE ON sec.issuer_key FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.guard();

-- role_grant _100_guard; Type: TRIGGER; Schema: sec; Owner: tpv_owner
CREATE TRIGGER _100_guard BEFORE INSERT OR UPDATE ON sec.role_grant FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.guard();

-- verifier _100_guard; Type: TRIGGER; Schema: sec; Owner: tpv_owner
CREATE TRIGGER _100_guard BEFORE INSERT OR UPDATE ON sec.verifier FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.guard();

-- gateway_key _100_guard_delete; Type: TRIGGER; Schema: sec; Owner: tpv_owner
CREATE TRIGGER _100_guard_delete BEFORE DELETE ON sec.gateway_key FOR EACH ROW EXECUTE FUNCTION sync.guard();

-- issuer_key _100_guard_delete; Type: TRIGGER; Schema: sec; Owner: tpv_owner
CREATE TRIGGER _100_guard_delete BEFORE DELETE ON sec.issuer_key FOR EACH ROW EXECUTE FUNCTION sync.guard();

-- role_grant _100_guard_delete; Type: TRIGGER; Schema: sec; Owner: tpv_owner
CREATE TRIGGER _100_guard_delete BEFORE DELETE ON sec.role_grant FOR EACH ROW EXECUTE FUNCTION sync.guard();

-- verifier _100_guard_delete; Type: TRIGGER; Schema: sec; Owner: tpv_owner
CREATE TRIGGER _100_guard_delete BEFORE DELETE ON sec.verifier FOR EACH ROW EXECUTE FUNCTION sync.guard();

-- gateway_key _100_guard_key; Type: TRIGGER; Schema: sec; Owner: tpv_owner
CREATE TRIGGER _100_guard_key BEFORE UPDATE ON sec.gateway_key FOR EACH ROW WHEN ((old.gateway_key_id IS DISTINCT FROM new.gateway_key_id)) EXECUTE FUNCTION sync.refuse_key_change();

-- issuer_key _100_guard_key; Type: TRIGGER; Schema: sec; Owner: tpv_owner
CREATE TRIGGER _100_guard_key BEFORE UPDATE ON sec.issuer_key FOR EACH ROW WHEN ((old.issuer_key_id IS DISTINCT FROM new.issuer_key_id)) EXECUTE FUNCTION sync.refuse_key_change();

-- role_grant _100_guard_key; Type: TRIGGER; Schema: sec; Owner: tpv_owner
CREATE TRIGGER _100_guard_key BEFORE UPDATE ON sec.role_grant FOR EACH ROW WHEN ((old.role_grant_id IS DISTINCT FROM new.role_grant_id)) EXECUTE FUNCTION sync.refuse_key_change();

-- verifier _100_guard_key; Type: TRIGGER; Schema: sec; Owner: tpv_owner
CREATE TRIGGER _100_guard_key BEFORE UPDATE ON sec.verifier FOR EACH ROW WHEN ((old.verifier_id IS DISTINCT FROM new.verifier_id)) EXECUTE FUNCTION sync.refuse_key_change();

-- gateway_key _100_guard_truncate; Type: TRIGGER; Schema: sec; Owner: tpv_owner
CREATE TRIGGER _100_guard_truncate BEFORE TRUNCATE ON sec.gateway_key FOR EACH STATEMENT EXECUTE FUNCTION sync.guard();

-- issuer_key _100_guard_truncate; Type: TRIGGER; Schema: sec; Owner: tpv_owner
CREATE TRIGGER _100_guard_truncate BEFORE TRUNCATE ON sec.issuer_key FOR EACH STATEMENT EXECUTE FUNCTION sync.guard();

-- role_grant _100_guard_truncate; Type: TRIGGER; Schema: sec; Owner: tpv_owner
CREATE TRIGGER _100_guard_truncate BEFORE TRUNCATE ON sec.role_grant FOR EACH STATEMENT EXECUTE FUNCTION sync.guard();

-- verifier _100_guard_truncate; Type: TRIGGER; Schema: sec; Owner: tpv_owner
CREATE TRIGGER _100_guard_truncate BEFORE TRUNCATE ON sec.verifier FOR EACH STATEMENT EXECUTE FUNCTION sync.guard();

-- role_grant _150_check; Type: TRIGGER; Schema: sec; Owner: tpv_owner
CREATE TRIGGER _150_check BEFORE INSERT OR UPDATE ON sec.role_grant FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sec.check_grant();

-- role_grant _300_place; Type: TRIGGER; Schema: sec; Owner: tpv_owner
CREATE TRIGGER _300_place AFTER INSERT OR UPDATE OF node_id, department_code, deleted ON sec.role_grant FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION org.check_place();

-- role_grant _400_authz; Type: TRIGGER; Schema: sec; Owner: tpv_owner
CREATE TRIGGER _400_authz AFTER INSERT OR UPDATE ON sec.role_grant FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sec.grant_changed();

-- gateway_key _900_capture; Type: TRIGGER; Schema: sec; Owner: tpv_owner
CREATE CONSTRAINT TRIGGER _900_capture AFTER INSERT OR UPDATE ON sec.gateway_key DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.capture();

-- issuer_key _900_capture; Type: TRIGGER; Schema: sec; Owner: tpv_owner
CREATE CONSTRAINT TRIGGER _900_capture AFTER INSERT OR UPDATE ON sec.issuer_key DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.capture();

-- role_grant _900_capture; Type: TRIGGER; Schema: sec; Owner: tpv_owner
CREATE CONSTRAINT TRIGGER _900_capture AFTER INSERT OR UPDATE ON sec.role_grant DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.capture();

-- verifier _900_capture; Type: TRIGGER; Schema: sec; Owner: tpv_owner
CREATE CONSTRAINT TRIGGER _900_capture AFTER INSERT OR UPDATE ON sec.verifier DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.capture();

-- gateway_key _950_touched; Type: TRIGGER; Schema: sec; Owner: tpv_owner
CREATE TRIGGER _950_touched AFTER INSERT OR UPDATE ON sec.gateway_key FOR EACH ROW EXECUTE FUNCTION sync.note_touched('gateway_key_id');
ALTER TABLE sec.gateway_key ENABLE ALWAYS TRIGGER _950_touched;

-- issuer_key _950_touched; Type: TRIGGER; Schema: sec; Owner: tpv_owner
CREATE TRIGGER _950_touched AFTER INSERT OR UPDATE ON sec.issuer_key FOR EACH ROW EXECUTE FUNCTION sync.note_touched('issuer_key_id');
ALTER TABLE sec.issuer_key ENABLE ALWAYS TRIGGER _950_touched;

-- role_grant _950_touched; Type: TRIGGER; Schema: sec; Owner: tpv_owner
CREATE TRIGGER _950_touched AFTER INSERT OR UPDATE ON sec.role_grant FOR EACH ROW EXECUTE FUNCTION sync.note_touched('role_grant_id');
ALTER TABLE sec.role_grant ENABLE ALWAYS TRIGGER _950_touched;

-- verifier _950_touched; Type: TRIGGER; Schema: sec; Owner: tpv_owner
CREATE TRIGGER _950_touched AFTER INSERT OR UPDATE ON sec.verifier FOR EACH ROW EXECUTE FUNCTION sync.note_touched('verifier_id');
ALTER TABLE sec.verifier ENABLE ALWAYS TRIGGER _950_touched;

-- policy _000_forget; Type: TRIGGER; Schema: sync; Owner: tpv_owner
CREATE TRIGGER _000_forget AFTER INSERT OR DELETE OR UPDATE ON sync.policy FOR EACH ROW EXECUTE FUNCTION tpv.forget_rules();
ALTER TABLE sync.policy ENABLE ALWAYS TRIGGER _000_forget;

-- tracked_table _000_forget; Type: TRIGGER; Schema: sync; Owner: tpv_owner
CREATE TRIGGER _000_forget AFTER INSERT OR DELETE OR UPDATE ON sync.tracked_table FOR EACH ROW EXECUTE FUNCTION tpv.forget_rules();
ALTER TABLE sync.tracked_table ENABLE ALWAYS TRIGGER _000_forget;

-- policy _000_lock; Type: TRIGGER; Schema: sync; Owner: tpv_owner
CREATE TRIGGER _000_lock BEFORE INSERT OR UPDATE ON sync.policy FOR EACH STATEMENT EXECUTE FUNCTION sync.lock_policies();

-- head _100_guard; Type: TRIGGER; Schema: sync; Owner: tpv_owner
CREATE TRIGGER _100_guard BEFORE INSERT OR DELETE OR UPDATE ON sync.head FOR EACH ROW EXECUTE FUNCTION tpv.guard_heads();
ALTER TABLE sync.head ENABLE ALWAYS TRIGGER _100_guard;

-- policy _100_guard; Type: TRIGGER; Schema: sync; Owner: tpv_owner
CREATE TRIGGER _100_guard BEFORE INSERT OR UPDATE ON sync.policy FOR EACH ROW WHEN (tpv.is_capturing()) EXECUTE FUNCTION sync.guard();

-- policy _100_guard_delete; Type: TRIGGER; Schema: sync; Owner: tpv_owner
CREATE TRIGGER _100_guard_delete BEFORE DELETE ON sync.policy FOR EACH ROW EXECUTE FUNCTION sync.guard();

-- policy _100_guard_key; Type: TRIGGER; Schema: sync; Owner: tpv_owner
CREATE TRIGGER _100_guard_key BEFORE UPDATE ON sync.policy FOR EACH ROW WHEN ((old.policy_id IS DISTINCT FROM new.policy_id)) EXECUTE FUNCTION sync.refuse_key_change();

-- head _100_guard_truncate; Type: TRIGGER; Schema: sync; Owner: tpv_owner
CREATE TRIGGER _100_guard_truncate BEFORE TRUNCATE ON sync.head FOR EACH STATEMENT EXECUTE FUNCTION tpv.guard_heads();
ALTER TABLE sync.head ENABLE ALWAYS TRIGGER _100_guard_truncate;

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

-- undone _900_capture_undone; Type: TRIGGER; Schema: sync; Owner: tpv_owner
CREATE CONSTRAINT TRIGGER _900_capture_undone AFTER INSERT ON sync.undone DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION sync.capture_undone();

-- policy _910_choose; Type: TRIGGER; Schema: sync; Owner: tpv_owner
CREATE TRIGGER _910_choose AFTER INSERT OR UPDATE ON sync.policy FOR EACH ROW EXECUTE FUNCTION sync.policy_changed();
ALTER TABLE sync.policy ENABLE ALWAYS TRIGGER _910_choose;

-- policy _950_touched; Type: TRIGGER; Schema: sync; Owner: tpv_owner
CREATE TRIGGER _950_touched AFTER INSERT OR UPDATE ON sync.policy FOR EACH ROW EXECUTE FUNCTION sync.note_touched('policy_id');
ALTER TABLE sync.policy ENABLE ALWAYS TRIGGER _950_touched;

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

-- local_code local_code_product_id_fkey; Type: FK CONSTRAINT; Schema: catalog; Owner: tpv_owner
ALTER TABLE ONLY catalog.local_code
    ADD CONSTRAINT local_code_product_id_fkey FOREIGN KEY (product_id) REFERENCES catalog.product(product_id);

-- price price_product_id_fkey; Type: FK CONSTRAINT; Schema: catalog; Owner: tpv_owner
ALTER TABLE ONLY catalog.price
    ADD CONSTRAINT price_product_id_fkey FOREIGN KEY (product_id) REFERENCES catalog.product(product_id);

-- product product_tax_id_fkey; Type: FK CONSTRAINT; Schema: catalog; Owner: tpv_owner
ALTER TABLE ONLY catalog.product
    ADD CONSTRAINT product_tax_id_fkey FOREIGN KEY (tax_id) REFERENCES catalog.tax(tax_id);

-- tax_rate tax_rate_tax_id_fkey; Type: FK CONSTRAINT; Schema: catalog; Owner: tpv_owner
ALTER TABLE ONLY catalog.tax_rate
    ADD CONSTRAINT tax_rate_tax_id_fkey FOREIGN KEY (tax_id) REFERENCES catalog.tax(tax_id);

-- department department_legal_entity_id_fkey; Type: FK CONSTRAINT; Schema: org; Owner: tpv_owner
ALTER TABLE ONLY org.department
    ADD CONSTRAINT department_legal_entity_id_fkey FOREIGN KEY (legal_entity_id) REFERENCES org.legal_entity(legal_entity_id);

-- department department_tax_id_fkey; Type: FK CONSTRAINT; Schema: org; Owner: tpv_owner
ALTER TABLE ONLY org.department
    ADD CONSTRAINT department_tax_id_fkey FOREIGN KEY (tax_id) REFERENCES catalog.tax(tax_id);

-- store store_legal_entity_id_fkey; Type: FK CONSTRAINT; Schema: org; Owner: tpv_owner
ALTER TABLE ONLY org.store
    ADD CONSTRAINT store_legal_entity_id_fkey FOREIGN KEY (legal_entity_id) REFERENCES org.legal_entity(legal_entity_id);

-- login_scope login_scope_role_fkey; Type: FK CONSTRAINT; Schema: sec; Owner: tpv_owner
ALTER TABLE ONLY sec.login_scope
    ADD CONSTRAINT login_scope_role_fkey FOREIGN KEY (role) REFERENCES sec.role(role);

-- permission permission_role_fkey; Type: FK CONSTRAINT; Schema: sec; Owner: tpv_owner
ALTER TABLE ONLY sec.permission
    ADD CONSTRAINT permission_role_fkey FOREIGN KEY (role) REFERENCES sec.role(role);

-- role_grant role_grant_employee_id_fkey; Type: FK CONSTRAINT; Schema: sec; Owner: tpv_owner
ALTER TABLE ONLY sec.role_grant
    ADD CONSTRAINT role_grant_employee_id_fkey FOREIGN KEY (employee_id) REFERENCES party.employee(employee_id);

-- session session_role_fkey; Type: FK CONSTRAINT; Schema: sec; Owner: tpv_owner
ALTER TABLE ONLY sec.session
    ADD CONSTRAINT session_role_fkey FOREIGN KEY (role) REFERENCES sec.role(role);

-- verifier verifier_employee_id_fkey; Type: FK CONSTRAINT; Schema: sec; Owner: tpv_owner
ALTER TABLE ONLY sec.verifier
    ADD CONSTRAINT verifier_employee_id_fkey FOREIGN KEY (employee_id) REFERENCES party.employee(employee_id);

-- verifier verifier_gateway_key_id_fkey; Type: FK CONSTRAINT; Schema: sec; Owner: tpv_owner
ALTER TABLE ONLY sec.verifier
    ADD CONSTRAINT verifier_gateway_key_id_fkey FOREIGN KEY (gateway_key_id) REFERENCES sec.gateway_key(gateway_key_id);

-- life life_node_id_fkey; Type: FK CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.life
    ADD CONSTRAINT life_node_id_fkey FOREIGN KEY (node_id) REFERENCES sync.peer(node_id) ON DELETE CASCADE;

-- own_said own_said_node_id_fkey; Type: FK CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.own_said
    ADD CONSTRAINT own_said_node_id_fkey FOREIGN KEY (node_id) REFERENCES sync.peer(node_id) ON DELETE CASCADE;

-- peer_chain peer_chain_node_id_fkey; Type: FK CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.peer_chain
    ADD CONSTRAINT peer_chain_node_id_fkey FOREIGN KEY (node_id) REFERENCES sync.peer(node_id) ON DELETE CASCADE;

-- peer peer_node_id_fkey; Type: FK CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.peer
    ADD CONSTRAINT peer_node_id_fkey FOREIGN KEY (node_id) REFERENCES org.node(node_id);

-- peer_password peer_password_node_id_fkey; Type: FK CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.peer_password
    ADD CONSTRAINT peer_password_node_id_fkey FOREIGN KEY (node_id) REFERENCES sync.peer(node_id) ON DELETE CASCADE;

-- peer_vector peer_vector_node_id_fkey; Type: FK CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.peer_vector
    ADD CONSTRAINT peer_vector_node_id_fkey FOREIGN KEY (node_id) REFERENCES sync.peer(node_id) ON DELETE CASCADE;

-- policy policy_table_name_fkey; Type: FK CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.policy
    ADD CONSTRAINT policy_table_name_fkey FOREIGN KEY (table_name) REFERENCES sync.tracked_table(table_name);

-- served served_node_id_fkey; Type: FK CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.served
    ADD CONSTRAINT served_node_id_fkey FOREIGN KEY (node_id) REFERENCES sync.peer(node_id) ON DELETE CASCADE;

-- snapshot_row snapshot_row_snapshot_id_fkey; Type: FK CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.snapshot_row
    ADD CONSTRAINT snapshot_row_snapshot_id_fkey FOREIGN KEY (snapshot_id) REFERENCES sync.snapshot(snapshot_id);

-- this_node this_node_node_id_fkey; Type: FK CONSTRAINT; Schema: sync; Owner: tpv_owner
ALTER TABLE ONLY sync.this_node
    ADD CONSTRAINT this_node_node_id_fkey FOREIGN KEY (node_id) REFERENCES org.node(node_id);
GRANT USAGE ON SCHEMA bi TO tpv_analyst;
GRANT USAGE ON SCHEMA catalog TO tpv_operator;
GRANT USAGE ON SCHEMA catalog TO tpv_analyst;
GRANT USAGE ON SCHEMA catalog TO tpv_apply;
GRANT USAGE ON SCHEMA catalog TO tpv_fold;
GRANT USAGE ON SCHEMA cron TO tpv_owner WITH GRANT OPTION;
SET SESSION AUTHORIZATION tpv_owner;
GRANT USAGE ON SCHEMA cron TO tpv_cron;
RESET SESSION AUTHORIZATION;
GRANT USAGE ON SCHEMA dat TO tpv_operator;
GRANT USAGE ON SCHEMA dat TO tpv_analyst;
GRANT USAGE ON SCHEMA dat TO tpv_watcher;
GRANT USAGE ON SCHEMA dat TO tpv_apply;
GRANT USAGE ON SCHEMA journal TO tpv_operator;
GRANT USAGE ON SCHEMA org TO tpv_operator;
GRANT USAGE ON SCHEMA org TO tpv_analyst;
GRANT USAGE ON SCHEMA org TO tpv_apply;
GRANT USAGE ON SCHEMA org TO tpv_fold;
GRANT USAGE ON SCHEMA own TO tpv_cashier;
GRANT USAGE ON SCHEMA own TO tpv_supervisor;
GRANT USAGE ON SCHEMA own TO tpv_manager;
GRANT USAGE ON SCHEMA own TO tpv_auditor;
GRANT USAGE ON SCHEMA own TO tpv_concessionaire;
GRANT USAGE ON SCHEMA own TO tpv_admin;
GRANT USAGE ON SCHEMA own TO tpv_gateway_user;
GRANT USAGE ON SCHEMA party TO tpv_operator;
GRANT USAGE ON SCHEMA party TO tpv_apply;
GRANT USAGE ON SCHEMA rollup TO tpv_fold;
GRANT USAGE ON SCHEMA rollup TO tpv_operator;
GRANT USAGE ON SCHEMA rollup TO tpv_analyst;
GRANT USAGE ON SCHEMA sales TO tpv_operator;
GRANT USAGE ON SCHEMA sales TO tpv_analyst;
GRANT USAGE ON SCHEMA sales TO tpv_watcher;
GRANT USAGE ON SCHEMA sales TO tpv_apply;
GRANT USAGE ON SCHEMA sales TO tpv_fold;
GRANT USAGE ON SCHEMA sec TO tpv_operator;
GRANT USAGE ON SCHEMA sec TO tpv_cron;
GRANT USAGE ON SCHEMA sec TO tpv_cashier;
GRANT USAGE ON SCHEMA sec TO tpv_supervisor;
GRANT USAGE ON SCHEMA sec TO tpv_manager;
GRANT USAGE ON SCHEMA sec TO tpv_auditor;
GRANT USAGE ON SCHEMA sec TO tpv_concessionaire;
GRANT USAGE ON SCHEMA sec TO tpv_admin;
GRANT USAGE ON SCHEMA sec TO tpv_gateway_auth;
GRANT USAGE ON SCHEMA sec TO tpv_gateway_user;
GRANT USAGE ON SCHEMA sec TO tpv_apply;
GRANT USAGE ON SCHEMA sync TO tpv_operator;
GRANT USAGE ON SCHEMA sync TO tpv_analyst;
GRANT USAGE ON SCHEMA sync TO tpv_cron;
GRANT USAGE ON SCHEMA sync TO tpv_apply;
GRANT USAGE ON SCHEMA sync TO tpv_worker;
GRANT USAGE ON SCHEMA sync TO tpv_monitor;
GRANT USAGE ON SCHEMA sync TO tpv_fold;
GRANT USAGE ON SCHEMA tpv TO tpv_owner WITH GRANT OPTION;
SET SESSION AUTHORIZATION tpv_owner;
GRANT USAGE ON SCHEMA tpv TO tpv_operator;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION tpv_owner;
GRANT USAGE ON SCHEMA tpv TO tpv_apply;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION tpv_owner;
GRANT USAGE ON SCHEMA tpv TO tpv_fold;
RESET SESSION AUTHORIZATION;
GRANT USAGE ON SCHEMA tpv_lock TO tpv_fold;
GRANT USAGE ON SCHEMA wire TO tpv_operator;
GRANT USAGE ON SCHEMA wire TO tpv_analyst;
GRANT USAGE ON SCHEMA wire TO tpv_cron;
GRANT USAGE ON SCHEMA wire TO tpv_apply;
GRANT USAGE ON SCHEMA wire TO tpv_worker;
GRANT USAGE ON SCHEMA wire TO tpv_fold;
REVOKE ALL ON FUNCTION catalog.barcode_rules(node_id integer) FROM PUBLIC;
GRANT ALL ON FUNCTION catalog.barcode_rules(node_id integer) TO tpv_fold;
REVOKE ALL ON FUNCTION catalog.check_rule() FROM PUBLIC;
REVOKE ALL ON FUNCTION catalog.find_product(node_id integer, department text, code text, on_date date) FROM PUBLIC;
GRANT ALL ON FUNCTION catalog.find_product(node_id integer, department text, code text, on_date date) TO tpv_operator;
GRANT ALL ON FUNCTION catalog.find_product(node_id integer, department text, code text, on_date date) TO tpv_analyst;
REVOKE ALL ON FUNCTION catalog.item_key(node_id integer, department text, code text, on_date date) FROM PUBLIC;
GRANT ALL ON FUNCTION catalog.item_key(node_id integer, department text, code text, on_date date) TO tpv_operator;
GRANT ALL ON FUNCTION catalog.item_key(node_id integer, department text, code text, on_date date) TO tpv_analyst;
REVOKE ALL ON FUNCTION catalog.line_tax(node_id integer, department text, code text, said numeric, on_date date) FROM PUBLIC;
GRANT ALL ON FUNCTION catalog.line_tax(node_id integer, department text, code text, said numeric, on_date date) TO tpv_operator;
GRANT ALL ON FUNCTION catalog.line_tax(node_id integer, department text, code text, said numeric, on_date date) TO tpv_analyst;
REVOKE ALL ON FUNCTION catalog.line_taxes(node_id integer, department text, codes text[], on_date date) FROM PUBLIC;
GRANT ALL ON FUNCTION catalog.line_taxes(node_id integer, department text, codes text[], on_date date) TO tpv_operator;
GRANT ALL ON FUNCTION catalog.line_taxes(node_id integer, department text, codes text[], on_date date) TO tpv_analyst;
GRANT ALL ON FUNCTION catalog.line_taxes(node_id integer, department text, codes text[], on_date date) TO tpv_fold;
REVOKE ALL ON FUNCTION catalog.price_at(product_id uuid, node_id integer, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION catalog.price_at(product_id uuid, node_id integer, at timestamp with time zone) TO tpv_operator;
GRANT ALL ON FUNCTION catalog.price_at(product_id uuid, node_id integer, at timestamp with time zone) TO tpv_analyst;
REVOKE ALL ON FUNCTION tpv.uuid7() FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.uuid7() TO tpv_owner WITH GRANT OPTION;
SET SESSION AUTHORIZATION tpv_owner;
GRANT ALL ON FUNCTION tpv.uuid7() TO tpv_operator;
RESET SESSION AUTHORIZATION;
GRANT SELECT ON TABLE catalog.barcode_rule TO tpv_operator;
GRANT SELECT ON TABLE catalog.barcode_rule TO tpv_analyst;
GRANT SELECT,INSERT,UPDATE ON TABLE catalog.barcode_rule TO tpv_apply;
GRANT SELECT ON TABLE catalog.barcode_rule TO tpv_fold;
REVOKE ALL ON FUNCTION catalog.rule_as_json(r catalog.barcode_rule) FROM PUBLIC;
GRANT ALL ON FUNCTION catalog.rule_as_json(r catalog.barcode_rule) TO tpv_fold;
REVOKE ALL ON FUNCTION catalog.tax_rate_at(tax_id uuid, on_date date) FROM PUBLIC;
GRANT ALL ON FUNCTION catalog.tax_rate_at(tax_id uuid, on_date date) TO tpv_operator;
GRANT ALL ON FUNCTION catalog.tax_rate_at(tax_id uuid, on_date date) TO tpv_analyst;
REVOKE ALL ON FUNCTION dat.check_profile() FROM PUBLIC;
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
REVOKE ALL ON FUNCTION org.check_declaration() FROM PUBLIC;
REVOKE ALL ON FUNCTION org.check_place() FROM PUBLIC;
REVOKE ALL ON FUNCTION org.check_vacant() FROM PUBLIC;
REVOKE ALL ON FUNCTION org.keep_dates() FROM PUBLIC;
REVOKE ALL ON FUNCTION org.register_central(node_id integer, node_code text) FROM PUBLIC;
REVOKE ALL ON FUNCTION org.register_department(code text, name text, concessionaire text, node_id integer, tax text) FROM PUBLIC;
REVOKE ALL ON FUNCTION org.register_store(node_id integer, node_code text, name text, timezone text, cutoff_hour integer, currency text, code text, gateway_url text) FROM PUBLIC;
REVOKE ALL ON FUNCTION org.register_terminal(code text, department_code text, declares jsonb, node_id integer, kind text) FROM PUBLIC;
REVOKE ALL ON FUNCTION org.this_node() FROM PUBLIC;
REVOKE ALL ON FUNCTION own.accept_drift(args jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION own.accept_drift(args jsonb) TO tpv_admin;
GRANT ALL ON FUNCTION own.accept_drift(args jsonb) TO tpv_manager;
REVOKE ALL ON FUNCTION own.block(args jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION own.block(args jsonb) TO tpv_admin;
GRANT ALL ON FUNCTION own.block(args jsonb) TO tpv_manager;
REVOKE ALL ON FUNCTION own.change_customer(args jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION own.change_customer(args jsonb) TO tpv_manager;
GRANT ALL ON FUNCTION own.change_customer(args jsonb) TO tpv_supervisor;
GRANT ALL ON FUNCTION own.change_customer(args jsonb) TO tpv_cashier;
REVOKE ALL ON FUNCTION own.change_employee(args jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION own.change_employee(args jsonb) TO tpv_admin;
REVOKE ALL ON FUNCTION own.change_grant(args jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION own.change_grant(args jsonb) TO tpv_admin;
REVOKE ALL ON FUNCTION own.close_day(args jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION own.close_day(args jsonb) TO tpv_manager;
REVOKE ALL ON FUNCTION own.create_customer(args jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION own.create_customer(args jsonb) TO tpv_manager;
GRANT ALL ON FUNCTION own.create_customer(args jsonb) TO tpv_supervisor;
GRANT ALL ON FUNCTION own.create_customer(args jsonb) TO tpv_cashier;
REVOKE ALL ON FUNCTION own.create_employee(args jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION own.create_employee(args jsonb) TO tpv_admin;
REVOKE ALL ON FUNCTION own.delete_customer(args jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION own.delete_customer(args jsonb) TO tpv_manager;
GRANT ALL ON FUNCTION own.delete_customer(args jsonb) TO tpv_supervisor;
GRANT ALL ON FUNCTION own.delete_customer(args jsonb) TO tpv_cashier;
REVOKE ALL ON FUNCTION own.dismiss(args jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION own.dismiss(args jsonb) TO tpv_admin;
GRANT ALL ON FUNCTION own.dismiss(args jsonb) TO tpv_manager;
REVOKE ALL ON FUNCTION own.end_grant(args jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION own.end_grant(args jsonb) TO tpv_admin;
REVOKE ALL ON FUNCTION own.end_session(args jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION own.end_session(args jsonb) TO tpv_admin;
GRANT ALL ON FUNCTION own.end_session(args jsonb) TO tpv_manager;
GRANT ALL ON FUNCTION own.end_session(args jsonb) TO tpv_supervisor;
GRANT ALL ON FUNCTION own.end_session(args jsonb) TO tpv_auditor;
GRANT ALL ON FUNCTION own.end_session(args jsonb) TO tpv_concessionaire;
GRANT ALL ON FUNCTION own.end_session(args jsonb) TO tpv_cashier;
REVOKE ALL ON FUNCTION own.erase_customer(args jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION own.erase_customer(args jsonb) TO tpv_manager;
REVOKE ALL ON FUNCTION own.grant_role(args jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION own.grant_role(args jsonb) TO tpv_admin;
REVOKE ALL ON FUNCTION own.loosen_consent(args jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION own.loosen_consent(args jsonb) TO tpv_manager;
GRANT ALL ON FUNCTION own.loosen_consent(args jsonb) TO tpv_supervisor;
GRANT ALL ON FUNCTION own.loosen_consent(args jsonb) TO tpv_cashier;
REVOKE ALL ON FUNCTION own.make_alias(args jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION own.make_alias(args jsonb) TO tpv_admin;
GRANT ALL ON FUNCTION own.make_alias(args jsonb) TO tpv_manager;
REVOKE ALL ON FUNCTION own.make_password_link(args jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION own.make_password_link(args jsonb) TO tpv_admin;
REVOKE ALL ON FUNCTION own.once(key text, fingerprint bytea, call text, args jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION own.once(key text, fingerprint bytea, call text, args jsonb) TO tpv_admin;
GRANT ALL ON FUNCTION own.once(key text, fingerprint bytea, call text, args jsonb) TO tpv_manager;
GRANT ALL ON FUNCTION own.once(key text, fingerprint bytea, call text, args jsonb) TO tpv_supervisor;
GRANT ALL ON FUNCTION own.once(key text, fingerprint bytea, call text, args jsonb) TO tpv_auditor;
GRANT ALL ON FUNCTION own.once(key text, fingerprint bytea, call text, args jsonb) TO tpv_concessionaire;
GRANT ALL ON FUNCTION own.once(key text, fingerprint bytea, call text, args jsonb) TO tpv_cashier;
REVOKE ALL ON FUNCTION own.register_gateway_key(args jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION own.register_gateway_key(args jsonb) TO tpv_admin;
REVOKE ALL ON FUNCTION sec.decide_receipt(args jsonb, permission text, members text, decision text) FROM PUBLIC;
REVOKE ALL ON FUNCTION own.release(args jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION own.release(args jsonb) TO tpv_manager;
GRANT ALL ON FUNCTION own.release(args jsonb) TO tpv_supervisor;
REVOKE ALL ON FUNCTION own.render_again(args jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION own.render_again(args jsonb) TO tpv_manager;
GRANT ALL ON FUNCTION own.render_again(args jsonb) TO tpv_supervisor;
REVOKE ALL ON FUNCTION own.replay(args jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION own.replay(args jsonb) TO tpv_admin;
GRANT ALL ON FUNCTION own.replay(args jsonb) TO tpv_manager;
REVOKE ALL ON FUNCTION own.scan(args jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION own.scan(args jsonb) TO tpv_admin;
GRANT ALL ON FUNCTION own.scan(args jsonb) TO tpv_manager;
GRANT ALL ON FUNCTION own.scan(args jsonb) TO tpv_supervisor;
GRANT ALL ON FUNCTION own.scan(args jsonb) TO tpv_auditor;
GRANT ALL ON FUNCTION own.scan(args jsonb) TO tpv_concessionaire;
GRANT ALL ON FUNCTION own.scan(args jsonb) TO tpv_cashier;
REVOKE ALL ON FUNCTION own.settle(args jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION own.settle(args jsonb) TO tpv_admin;
GRANT ALL ON FUNCTION own.settle(args jsonb) TO tpv_manager;
REVOKE ALL ON FUNCTION own.unblock(args jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION own.unblock(args jsonb) TO tpv_admin;
GRANT ALL ON FUNCTION own.unblock(args jsonb) TO tpv_manager;
REVOKE ALL ON FUNCTION own.void(args jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION own.void(args jsonb) TO tpv_manager;
GRANT ALL ON FUNCTION own.void(args jsonb) TO tpv_supervisor;
REVOKE ALL ON FUNCTION own.withdraw(args jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION own.withdraw(args jsonb) TO tpv_manager;
GRANT ALL ON FUNCTION own.withdraw(args jsonb) TO tpv_supervisor;
REVOKE ALL ON FUNCTION party.count_authz() FROM PUBLIC;
REVOKE ALL ON FUNCTION party.erase(customer uuid, why text) FROM PUBLIC;
GRANT ALL ON FUNCTION party.erase(customer uuid, why text) TO tpv_operator;
REVOKE ALL ON FUNCTION pg_catalog.lo_creat(integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pg_catalog.lo_create(oid) FROM PUBLIC;
REVOKE ALL ON FUNCTION pg_catalog.lo_from_bytea(oid, bytea) FROM PUBLIC;
REVOKE ALL ON FUNCTION pg_catalog.pg_advisory_lock(bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pg_catalog.pg_advisory_lock(bigint) TO tpv_owner;
REVOKE ALL ON FUNCTION pg_catalog.pg_advisory_lock(integer, integer) FROM PUBLIC;
GRANT ALL ON FUNCTION pg_catalog.pg_advisory_lock(integer, integer) TO tpv_owner;
REVOKE ALL ON FUNCTION pg_catalog.pg_advisory_lock_shared(bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pg_catalog.pg_advisory_lock_shared(bigint) TO tpv_owner;
REVOKE ALL ON FUNCTION pg_catalog.pg_advisory_lock_shared(integer, integer) FROM PUBLIC;
GRANT ALL ON FUNCTION pg_catalog.pg_advisory_lock_shared(integer, integer) TO tpv_owner;
REVOKE ALL ON FUNCTION pg_catalog.pg_advisory_xact_lock(bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pg_catalog.pg_advisory_xact_lock(bigint) TO tpv_owner;
REVOKE ALL ON FUNCTION pg_catalog.pg_advisory_xact_lock(integer, integer) FROM PUBLIC;
GRANT ALL ON FUNCTION pg_catalog.pg_advisory_xact_lock(integer, integer) TO tpv_owner;
REVOKE ALL ON FUNCTION pg_catalog.pg_advisory_xact_lock_shared(bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pg_catalog.pg_advisory_xact_lock_shared(bigint) TO tpv_owner;
REVOKE ALL ON FUNCTION pg_catalog.pg_advisory_xact_lock_shared(integer, integer) FROM PUBLIC;
GRANT ALL ON FUNCTION pg_catalog.pg_advisory_xact_lock_shared(integer, integer) TO tpv_owner;
REVOKE ALL ON FUNCTION pg_catalog.pg_logical_emit_message(boolean, text, bytea) FROM PUBLIC;
REVOKE ALL ON FUNCTION pg_catalog.pg_logical_emit_message(boolean, text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pg_catalog.pg_try_advisory_lock(bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pg_catalog.pg_try_advisory_lock(bigint) TO tpv_owner;
REVOKE ALL ON FUNCTION pg_catalog.pg_try_advisory_lock(integer, integer) FROM PUBLIC;
GRANT ALL ON FUNCTION pg_catalog.pg_try_advisory_lock(integer, integer) TO tpv_owner;
REVOKE ALL ON FUNCTION pg_catalog.pg_try_advisory_lock_shared(bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pg_catalog.pg_try_advisory_lock_shared(bigint) TO tpv_owner;
REVOKE ALL ON FUNCTION pg_catalog.pg_try_advisory_lock_shared(integer, integer) FROM PUBLIC;
GRANT ALL ON FUNCTION pg_catalog.pg_try_advisory_lock_shared(integer, integer) TO tpv_owner;
REVOKE ALL ON FUNCTION pg_catalog.pg_try_advisory_xact_lock(bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pg_catalog.pg_try_advisory_xact_lock(bigint) TO tpv_owner;
REVOKE ALL ON FUNCTION pg_catalog.pg_try_advisory_xact_lock(integer, integer) FROM PUBLIC;
GRANT ALL ON FUNCTION pg_catalog.pg_try_advisory_xact_lock(integer, integer) TO tpv_owner;
REVOKE ALL ON FUNCTION pg_catalog.pg_try_advisory_xact_lock_shared(bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pg_catalog.pg_try_advisory_xact_lock_shared(bigint) TO tpv_owner;
REVOKE ALL ON FUNCTION pg_catalog.pg_try_advisory_xact_lock_shared(integer, integer) FROM PUBLIC;
GRANT ALL ON FUNCTION pg_catalog.pg_try_advisory_xact_lock_shared(integer, integer) TO tpv_owner;
REVOKE ALL ON FUNCTION rollup.note_guess() FROM PUBLIC;
REVOKE ALL ON FUNCTION rollup.rebuild(node integer, from_date date, to_date date) FROM PUBLIC;
GRANT ALL ON FUNCTION rollup.rebuild(node integer, from_date date, to_date date) TO tpv_operator;
REVOKE ALL ON FUNCTION sales.close_day(business_date date, why text) FROM PUBLIC;
GRANT ALL ON FUNCTION sales.close_day(business_date date, why text) TO tpv_operator;
REVOKE ALL ON FUNCTION sales.ingest_batch(terminal text, files bytea[]) FROM PUBLIC;
GRANT ALL ON FUNCTION sales.ingest_batch(terminal text, files bytea[]) TO tpv_watcher;
REVOKE ALL ON FUNCTION sales.ingest_files(terminal text, files bytea[], names text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION sales.ingest_files(terminal text, files bytea[], names text[]) TO tpv_watcher;
REVOKE ALL ON FUNCTION sales.rebuild_projections(node integer, from_date date, to_date date, dry_run boolean, most integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION sales.record_rejection(terminal text, file_name text, size_bytes bigint, sha256 bytea, code text, detail text, raw bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION sales.record_rejection(terminal text, file_name text, size_bytes bigint, sha256 bytea, code text, detail text, raw bytea) TO tpv_watcher;
REVOKE ALL ON FUNCTION sales.release(receipt_id uuid, why text, file_name text) FROM PUBLIC;
GRANT ALL ON FUNCTION sales.release(receipt_id uuid, why text, file_name text) TO tpv_operator;
GRANT SELECT ON TABLE sales.day_close TO tpv_operator;
GRANT SELECT ON TABLE sales.day_close TO tpv_analyst;
GRANT SELECT,INSERT,UPDATE ON TABLE sales.day_close TO tpv_apply;
GRANT SELECT ON TABLE sales.day_close TO tpv_fold;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE sales.early_event TO tpv_apply;
GRANT SELECT ON TABLE sales.receipt TO tpv_operator;
GRANT SELECT ON TABLE sales.receipt TO tpv_analyst;
GRANT SELECT,INSERT,UPDATE ON TABLE sales.receipt TO tpv_apply;
GRANT SELECT ON TABLE sales.receipt TO tpv_fold;
GRANT SELECT ON TABLE sales.receipt_event TO tpv_operator;
GRANT SELECT,INSERT,UPDATE ON TABLE sales.receipt_event TO tpv_apply;
GRANT SELECT(node_id) ON TABLE sales.receipt_event TO tpv_analyst;
GRANT SELECT(receipt_id) ON TABLE sales.receipt_event TO tpv_analyst;
GRANT SELECT(doc_node) ON TABLE sales.receipt_event TO tpv_analyst;
GRANT SELECT(doc_id) ON TABLE sales.receipt_event TO tpv_analyst;
GRANT SELECT(kind) ON TABLE sales.receipt_event TO tpv_analyst;
GRANT SELECT(hlc) ON TABLE sales.receipt_event TO tpv_analyst;
GRANT SELECT ON TABLE sales.receipt_key TO tpv_operator;
GRANT SELECT ON TABLE sales.receipt_line TO tpv_operator;
GRANT SELECT ON TABLE sales.receipt_line TO tpv_analyst;
GRANT SELECT,INSERT,UPDATE ON TABLE sales.receipt_line TO tpv_apply;
GRANT SELECT ON TABLE sales.receipt_line TO tpv_fold;
GRANT SELECT ON TABLE sync.this_node TO tpv_operator;
GRANT SELECT ON TABLE sync.this_node TO tpv_analyst;
GRANT SELECT ON TABLE sync.this_node TO tpv_apply;
GRANT SELECT ON TABLE sync.this_node TO tpv_worker;
GRANT SELECT ON TABLE sync.this_node TO tpv_fold;
GRANT SELECT,INSERT ON TABLE wire.doc TO tpv_apply;
GRANT SELECT ON TABLE wire.doc TO tpv_operator;
GRANT SELECT(node_id) ON TABLE wire.doc TO tpv_analyst;
GRANT SELECT(doc_id) ON TABLE wire.doc TO tpv_analyst;
GRANT SELECT(business_date) ON TABLE wire.doc TO tpv_analyst;
GRANT SELECT(kind) ON TABLE wire.doc TO tpv_analyst;
GRANT SELECT(to_node) ON TABLE wire.doc TO tpv_analyst;
GRANT SELECT(hlc) ON TABLE wire.doc TO tpv_analyst;
GRANT SELECT(schema_version) ON TABLE wire.doc TO tpv_analyst;
GRANT SELECT(chain) ON TABLE wire.doc TO tpv_analyst;
GRANT SELECT(chain_seq) ON TABLE wire.doc TO tpv_analyst;
GRANT SELECT(prev_hash) ON TABLE wire.doc TO tpv_analyst;
GRANT SELECT(content_hash) ON TABLE wire.doc TO tpv_analyst;
REVOKE ALL ON FUNCTION sales.slices(node integer, from_date date, to_date date) FROM PUBLIC;
REVOKE ALL ON FUNCTION sales.void(receipt_id uuid, why text) FROM PUBLIC;
GRANT ALL ON FUNCTION sales.void(receipt_id uuid, why text) TO tpv_operator;
REVOKE ALL ON FUNCTION tpv.actor() FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.actor() TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION sec.actor() FROM PUBLIC;
GRANT ALL ON FUNCTION sec.actor() TO tpv_apply;
GRANT ALL ON FUNCTION sec.actor() TO tpv_operator;
REVOKE ALL ON FUNCTION sec.admit(session uuid, employee uuid, role text, authz integer, expires_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION sec.admit(session uuid, employee uuid, role text, authz integer, expires_at timestamp with time zone) TO tpv_gateway_auth;
GRANT SELECT,INSERT,UPDATE ON TABLE sec.issuer_key TO tpv_apply;
REVOKE ALL ON FUNCTION sec.central_url() FROM PUBLIC;
REVOKE ALL ON FUNCTION sec.check_grant() FROM PUBLIC;
REVOKE ALL ON FUNCTION sec.check_writer(table_name text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sec.claim_key(key text, fingerprint bytea) FROM PUBLIC;
REVOKE ALL ON FUNCTION sec.customer_body(customer uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION sec.customer_members() FROM PUBLIC;
REVOKE ALL ON FUNCTION sec.decided_by_central() FROM PUBLIC;
REVOKE ALL ON FUNCTION sec.employee_body(employee uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION sec.end_session(session uuid, why text) FROM PUBLIC;
GRANT ALL ON FUNCTION sec.end_session(session uuid, why text) TO tpv_gateway_auth;
REVOKE ALL ON FUNCTION sec.end_sessions(employee uuid, except_session uuid, why text) FROM PUBLIC;
GRANT ALL ON FUNCTION sec.end_sessions(employee uuid, except_session uuid, why text) TO tpv_gateway_auth;
REVOKE ALL ON FUNCTION sec.enter(session uuid, employee uuid, role text, authz integer) FROM PUBLIC;
GRANT ALL ON FUNCTION sec.enter(session uuid, employee uuid, role text, authz integer) TO tpv_admin;
GRANT ALL ON FUNCTION sec.enter(session uuid, employee uuid, role text, authz integer) TO tpv_manager;
GRANT ALL ON FUNCTION sec.enter(session uuid, employee uuid, role text, authz integer) TO tpv_supervisor;
GRANT ALL ON FUNCTION sec.enter(session uuid, employee uuid, role text, authz integer) TO tpv_auditor;
GRANT ALL ON FUNCTION sec.enter(session uuid, employee uuid, role text, authz integer) TO tpv_concessionaire;
GRANT ALL ON FUNCTION sec.enter(session uuid, employee uuid, role text, authz integer) TO tpv_cashier;
REVOKE ALL ON FUNCTION sec.fault(pointer text, code text, detail text) FROM PUBLIC;
REVOKE ALL ON FUNCTION tpv.acting_scope() FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.acting_scope() TO tpv_owner WITH GRANT OPTION;
SET SESSION AUTHORIZATION tpv_owner;
GRANT ALL ON FUNCTION tpv.acting_scope() TO tpv_admin;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION tpv_owner;
GRANT ALL ON FUNCTION tpv.acting_scope() TO tpv_manager;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION tpv_owner;
GRANT ALL ON FUNCTION tpv.acting_scope() TO tpv_supervisor;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION tpv_owner;
GRANT ALL ON FUNCTION tpv.acting_scope() TO tpv_auditor;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION tpv_owner;
GRANT ALL ON FUNCTION tpv.acting_scope() TO tpv_concessionaire;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION tpv_owner;
GRANT ALL ON FUNCTION tpv.acting_scope() TO tpv_cashier;
RESET SESSION AUTHORIZATION;
GRANT SELECT,INSERT,UPDATE ON TABLE party.employee TO tpv_apply;
REVOKE ALL ON FUNCTION sec.may_log_in(employee uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.is_joined_store() FROM PUBLIC;
GRANT SELECT,INSERT,UPDATE ON TABLE sec.gateway_key TO tpv_apply;
GRANT SELECT,INSERT,UPDATE ON TABLE sec.verifier TO tpv_apply;
REVOKE ALL ON FUNCTION sec.find_login(code text) FROM PUBLIC;
GRANT ALL ON FUNCTION sec.find_login(code text) TO tpv_gateway_auth;
REVOKE ALL ON FUNCTION sec.forget_attempts(subject bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION sec.forget_attempts(subject bytea) TO tpv_gateway_auth;
REVOKE ALL ON FUNCTION sec.grant_changed() FROM PUBLIC;
REVOKE ALL ON FUNCTION sec.today(node integer) FROM PUBLIC;
GRANT SELECT,INSERT,UPDATE ON TABLE sec.role_grant TO tpv_apply;
REVOKE ALL ON FUNCTION sec.grants_now(employee uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION sec.issuer_keys() FROM PUBLIC;
GRANT ALL ON FUNCTION sec.issuer_keys() TO tpv_gateway_auth;
REVOKE ALL ON FUNCTION sec.keep_answer(key text, answer jsonb) FROM PUBLIC;
GRANT SELECT,INSERT,UPDATE ON TABLE party.customer TO tpv_operator;
GRANT SELECT,INSERT,UPDATE ON TABLE party.customer TO tpv_apply;
REVOKE ALL ON FUNCTION sec.lock_customer(args jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION sec.make_admin(code text, name text, phc text) FROM PUBLIC;
GRANT ALL ON FUNCTION sec.make_admin(code text, name text, phc text) TO tpv_gateway_auth;
REVOKE ALL ON FUNCTION sec.make_password_link(employee uuid, link_hash bytea, expires_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION sec.make_password_link(employee uuid, link_hash bytea, expires_at timestamp with time zone) TO tpv_gateway_auth;
REVOKE ALL ON FUNCTION sec.make_view(name text, permission text, query text, comment text, shows text[], columns jsonb, sorted text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sec.may(permission text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sec.may_read_table(table_name text) FROM PUBLIC;
GRANT ALL ON FUNCTION sec.may_read_table(table_name text) TO tpv_admin;
GRANT ALL ON FUNCTION sec.may_read_table(table_name text) TO tpv_manager;
GRANT ALL ON FUNCTION sec.may_read_table(table_name text) TO tpv_supervisor;
GRANT ALL ON FUNCTION sec.may_read_table(table_name text) TO tpv_auditor;
GRANT ALL ON FUNCTION sec.may_read_table(table_name text) TO tpv_concessionaire;
GRANT ALL ON FUNCTION sec.may_read_table(table_name text) TO tpv_cashier;
REVOKE ALL ON FUNCTION sec.offer(verb text, permission text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sec.open_session(employee uuid, wanted_role text, address text, user_agent text, seen_authz integer) FROM PUBLIC;
GRANT ALL ON FUNCTION sec.open_session(employee uuid, wanted_role text, address text, user_agent text, seen_authz integer) TO tpv_gateway_auth;
REVOKE ALL ON FUNCTION sec.permissions() FROM PUBLIC;
GRANT ALL ON FUNCTION sec.permissions() TO tpv_gateway_auth;
REVOKE ALL ON FUNCTION sec.prune() FROM PUBLIC;
GRANT ALL ON FUNCTION sec.prune() TO tpv_cron;
REVOKE ALL ON FUNCTION sec.publish_issuer_key(kid text, public_key text, url text) FROM PUBLIC;
GRANT ALL ON FUNCTION sec.publish_issuer_key(kid text, public_key text, url text) TO tpv_gateway_auth;
REVOKE ALL ON FUNCTION sec.receipt_body(node integer, receipt uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION sec.record(event text, subject text, detail text) FROM PUBLIC;
GRANT ALL ON FUNCTION sec.record(event text, subject text, detail text) TO tpv_gateway_auth;
REVOKE ALL ON FUNCTION sec.refresh_session(session uuid, given_counter integer, seen_counter_used boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION sec.refresh_session(session uuid, given_counter integer, seen_counter_used boolean) TO tpv_gateway_auth;
REVOKE ALL ON FUNCTION sec.refuse_conflict(message text, code text, gateway_url text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sec.refuse_faults(faults jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION sec.refuse_hidden() FROM PUBLIC;
REVOKE ALL ON FUNCTION sec.register_gateway_key(node_code text, public_key text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sec.require(permission text, node integer, department text, business_date date) FROM PUBLIC;
REVOKE ALL ON FUNCTION sec.require_all_of(employee uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION sec.require_no_other(given sec.role_grant) FROM PUBLIC;
REVOKE ALL ON FUNCTION sec.require_version(given jsonb, present text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sec.retire_issuer_key(kid text) FROM PUBLIC;
GRANT ALL ON FUNCTION sec.retire_issuer_key(kid text) TO tpv_gateway_auth;
REVOKE ALL ON FUNCTION sec.return_attempt(subject bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION sec.return_attempt(subject bytea) TO tpv_gateway_auth;
REVOKE ALL ON FUNCTION sec.roles_of(employee uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION sec.roles_of(employee uuid) TO tpv_gateway_auth;
REVOKE ALL ON FUNCTION sec.save_verifier(employee uuid, node integer, key uuid, sealed text, changed_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION sec.save_verifier(employee uuid, node integer, key uuid, sealed text, changed_at timestamp with time zone) TO tpv_gateway_auth;
REVOKE ALL ON FUNCTION sec.scope_of_login() FROM PUBLIC;
GRANT ALL ON FUNCTION sec.scope_of_login() TO tpv_admin;
GRANT ALL ON FUNCTION sec.scope_of_login() TO tpv_manager;
GRANT ALL ON FUNCTION sec.scope_of_login() TO tpv_supervisor;
GRANT ALL ON FUNCTION sec.scope_of_login() TO tpv_auditor;
GRANT ALL ON FUNCTION sec.scope_of_login() TO tpv_concessionaire;
GRANT ALL ON FUNCTION sec.scope_of_login() TO tpv_cashier;
REVOKE ALL ON FUNCTION sec.set_password(employee uuid, phc text, made_by text, kept_session uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION sec.set_password(employee uuid, phc text, made_by text, kept_session uuid) TO tpv_gateway_auth;
REVOKE ALL ON FUNCTION sec.shared_comment(column_name text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sec.take_attempt(subject bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION sec.take_attempt(subject bytea) TO tpv_gateway_auth;
GRANT SELECT ON TABLE org.node TO tpv_operator;
GRANT SELECT ON TABLE org.node TO tpv_analyst;
GRANT SELECT ON TABLE org.node TO tpv_apply;
GRANT SELECT ON TABLE org.node TO tpv_fold;
REVOKE ALL ON FUNCTION sec.this_gateway() FROM PUBLIC;
GRANT ALL ON FUNCTION sec.this_gateway() TO tpv_gateway_auth;
REVOKE ALL ON FUNCTION sec.use_password_link(link_hash bytea, phc text) FROM PUBLIC;
GRANT ALL ON FUNCTION sec.use_password_link(link_hash bytea, phc text) TO tpv_gateway_auth;
REVOKE ALL ON FUNCTION sec.verifiers_due(most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION sec.verifiers_due(most integer) TO tpv_gateway_auth;
REVOKE ALL ON FUNCTION sec.withdraw_gateway(node integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.accept_drift(drift_id bigint, why text) FROM PUBLIC;
GRANT ALL ON FUNCTION sync.accept_drift(drift_id bigint, why text) TO tpv_operator;
REVOKE ALL ON FUNCTION sync.accept_life(peer integer, why text, life text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.accept_snapshot(peer integer, why text, up_to bigint, alone boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.add_peer(node_id integer, node_code text, kind text, extension text, schema integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.addressed_hash_chains(to_node integer) FROM PUBLIC;
GRANT SELECT ON TABLE sync.op_counter TO tpv_apply;
REVOKE ALL ON FUNCTION sync.advance_op_counter(seq bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION sync.advance_op_counter(seq bigint) TO tpv_apply;
REVOKE ALL ON FUNCTION sync.ask_when_heard(store integer, why text) FROM PUBLIC;
REVOKE ALL ON PROCEDURE sync.ban(IN store text, IN why text, INOUT told text) FROM PUBLIC;
GRANT SELECT,INSERT ON TABLE wire.op TO tpv_apply;
GRANT SELECT(node_id) ON TABLE wire.op TO tpv_operator;
GRANT SELECT(node_id) ON TABLE wire.op TO tpv_analyst;
GRANT SELECT(seq) ON TABLE wire.op TO tpv_operator;
GRANT SELECT(seq) ON TABLE wire.op TO tpv_analyst;
GRANT SELECT(hlc) ON TABLE wire.op TO tpv_operator;
GRANT SELECT(hlc) ON TABLE wire.op TO tpv_analyst;
GRANT SELECT(table_name) ON TABLE wire.op TO tpv_operator;
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
REVOKE ALL ON FUNCTION sync.capture_undone() FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.chain_state() FROM PUBLIC;
GRANT ALL ON FUNCTION sync.chain_state() TO tpv_manager;
GRANT ALL ON FUNCTION sync.chain_state() TO tpv_auditor;
GRANT ALL ON FUNCTION sync.chain_state() TO tpv_admin;
REVOKE ALL ON FUNCTION sync.chains_of(node_id integer) FROM PUBLIC;
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
GRANT SELECT ON TABLE sync.peer TO tpv_operator;
GRANT SELECT ON TABLE sync.peer TO tpv_analyst;
GRANT SELECT,UPDATE ON TABLE sync.peer TO tpv_apply;
GRANT SELECT ON TABLE sync.peer TO tpv_fold;
REVOKE ALL ON FUNCTION sync.compare_with(of_peer sync.peer) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.compared_until() FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.conninfo_as(conninfo text, login text) FROM PUBLIC;
GRANT SELECT ON TABLE sync.horizon TO tpv_operator;
GRANT SELECT ON TABLE sync.horizon TO tpv_analyst;
GRANT SELECT,INSERT,UPDATE ON TABLE sync.horizon TO tpv_apply;
REVOKE ALL ON FUNCTION sync.contiguous() FROM PUBLIC;
GRANT ALL ON FUNCTION sync.contiguous() TO tpv_operator;
GRANT ALL ON FUNCTION sync.contiguous() TO tpv_analyst;
GRANT ALL ON FUNCTION sync.contiguous() TO tpv_worker;
REVOKE ALL ON FUNCTION sync.is_constant_default(relation oid, place smallint) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.describe_table(relation regclass) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.dismiss(quarantine_id bigint, why text) FROM PUBLIC;
GRANT ALL ON FUNCTION sync.dismiss(quarantine_id bigint, why text) TO tpv_operator;
REVOKE ALL ON FUNCTION sync.documents_written(node integer, since timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.drop_login_statement(login text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.drop_slot_statement(slot text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.duplicates() FROM PUBLIC;
GRANT ALL ON FUNCTION sync.duplicates() TO tpv_operator;
REVOKE ALL ON FUNCTION sync.end_overdue_snapshots() FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.end_restored(why text) FROM PUBLIC;
GRANT ALL ON FUNCTION sync.end_restored(why text) TO tpv_operator;
REVOKE ALL ON FUNCTION sync.end_snapshot(snapshot_id uuid, why text) FROM PUBLIC;
GRANT ALL ON FUNCTION sync.end_snapshot(snapshot_id uuid, why text) TO tpv_operator;
REVOKE ALL ON FUNCTION sync.end_stream(store text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.end_subscription(store text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.erase(table_name text, key uuid, why text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.event_gauges() FROM PUBLIC;
GRANT ALL ON FUNCTION sync.event_gauges() TO tpv_monitor;
REVOKE ALL ON FUNCTION tpv.follow_hash_chain(node_id integer, chain text, from_seq bigint, from_hash bytea, to_seq bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.follow_hash_chain(node_id integer, chain text, from_seq bigint, from_hash bytea, to_seq bigint) TO tpv_owner WITH GRANT OPTION;
GRANT SELECT ON TABLE sync.peer_chain TO tpv_operator;
GRANT SELECT ON TABLE sync.peer_chain TO tpv_analyst;
GRANT SELECT,INSERT,UPDATE ON TABLE sync.peer_chain TO tpv_apply;
GRANT SELECT ON TABLE sync.verified TO tpv_operator;
GRANT SELECT ON TABLE sync.verified TO tpv_analyst;
GRANT SELECT ON TABLE sync.verified TO tpv_worker;
REVOKE ALL ON FUNCTION sync.follow_hash_chains(of_peer sync.peer) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.forget_banned(store text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.forget_the_future() FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.guard() FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.hear_question(peer integer, token bigint, stamps bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION sync.hear_question(peer integer, token bigint, stamps bigint) TO tpv_apply;
REVOKE ALL ON FUNCTION tpv.is_erased(table_name text, key text) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.is_erased(table_name text, key text) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION sync.is_erased(table_name text, key text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.is_looser(steps jsonb, before jsonb, after jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.is_restored() FROM PUBLIC;
GRANT ALL ON FUNCTION sync.is_restored() TO tpv_operator;
GRANT ALL ON FUNCTION sync.is_restored() TO tpv_analyst;
GRANT ALL ON FUNCTION sync.is_restored() TO tpv_fold;
REVOKE ALL ON FUNCTION sync.join_plan(store_code text, store_id integer, central_code text, central_id integer, store_conninfo text, central_conninfo text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.join_steps(store_code text, store_id integer, central_code text, central_id integer, store_conninfo text, central_conninfo text) FROM PUBLIC;
GRANT SELECT ON TABLE org.ban TO tpv_operator;
GRANT SELECT,INSERT,UPDATE ON TABLE org.ban TO tpv_apply;
GRANT SELECT(ban_id) ON TABLE org.ban TO tpv_analyst;
GRANT SELECT(node_id) ON TABLE org.ban TO tpv_analyst;
GRANT SELECT(last_seq) ON TABLE org.ban TO tpv_analyst;
GRANT SELECT(joined_seq) ON TABLE org.ban TO tpv_analyst;
GRANT SELECT(banned_at) ON TABLE org.ban TO tpv_analyst;
GRANT SELECT(lifted_at) ON TABLE org.ban TO tpv_analyst;
GRANT SELECT(undone_seq) ON TABLE org.ban TO tpv_analyst;
GRANT SELECT(deleted) ON TABLE org.ban TO tpv_analyst;
REVOKE ALL ON FUNCTION sync.joined_before_ban(node integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.keep_password(subscription text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.kept_since(setting text) FROM PUBLIC;
GRANT ALL ON FUNCTION sync.kept_since(setting text) TO tpv_cron;
GRANT SELECT ON TABLE sync.peer_vector TO tpv_operator;
GRANT SELECT ON TABLE sync.peer_vector TO tpv_analyst;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE sync.peer_vector TO tpv_apply;
REVOKE ALL ON FUNCTION sync.known_to_all() FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.leave_plan(store_code text, store_id integer, central_code text, central_id integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.link(document wire.doc) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.link(node_id integer, chain text, chain_seq bigint, doc_id uuid, kind text, business_date date, prev_hash bytea, content_hash bytea) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.link_of(chain text, chain_seq bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.lock_policies() FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.name_part(node_code text) FROM PUBLIC;
GRANT ALL ON FUNCTION sync.name_part(node_code text) TO tpv_operator;
GRANT ALL ON FUNCTION sync.name_part(node_code text) TO tpv_analyst;
REVOKE ALL ON FUNCTION sync.login_name(node_code text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.login_statement(login text, slot text, publication text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.look_at_server() FROM PUBLIC;
GRANT ALL ON FUNCTION sync.look_at_server() TO tpv_worker;
REVOKE ALL ON FUNCTION sync.loosen(table_name text, key uuid, column_name text, value text, why text) FROM PUBLIC;
GRANT ALL ON FUNCTION sync.loosen(table_name text, key uuid, column_name text, value text, why text) TO tpv_operator;
REVOKE ALL ON FUNCTION sync.make_alias(table_name text, key uuid, of_key uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION sync.make_alias(table_name text, key uuid, of_key uuid) TO tpv_operator;
REVOKE ALL ON FUNCTION sync.mark(operation wire.op) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.mark_gap(peer integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.mend_triggers() FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.move_to_this_life(chain text, from_seq bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.next_life(said jsonb, here jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.node_gauges() FROM PUBLIC;
GRANT ALL ON FUNCTION sync.node_gauges() TO tpv_monitor;
REVOKE ALL ON FUNCTION sync.note_arrivals(node integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.note_clone(node_id integer, life text, from_node integer, is_here boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION sync.note_clone(node_id integer, life text, from_node integer, is_here boolean) TO tpv_apply;
REVOKE ALL ON FUNCTION sync.note_conninfo(subscription text, conninfo text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.note_place(node_id integer, doc_id uuid, business_date date, kind text, hlc bigint, chain text, chain_seq bigint, prev_hash bytea, content_hash bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION sync.note_place(node_id integer, doc_id uuid, business_date date, kind text, hlc bigint, chain text, chain_seq bigint, prev_hash bytea, content_hash bytea) TO tpv_apply;
REVOKE ALL ON FUNCTION sync.note_pruning(what text, gone bigint) FROM PUBLIC;
GRANT SELECT ON TABLE sync.request TO tpv_operator;
GRANT SELECT ON TABLE sync.request TO tpv_analyst;
GRANT SELECT,DELETE ON TABLE sync.request TO tpv_worker;
GRANT UPDATE(requested_at) ON TABLE sync.request TO tpv_worker;
REVOKE ALL ON FUNCTION sync.note_recorded_before(node_id integer, chain text, seq bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION sync.note_recorded_before(node_id integer, chain text, seq bigint) TO tpv_apply;
REVOKE ALL ON FUNCTION sync.note_refusal(subscription oid, life text) FROM PUBLIC;
GRANT ALL ON FUNCTION sync.note_refusal(subscription oid, life text) TO tpv_worker;
REVOKE ALL ON FUNCTION sync.note_slots() FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.note_touched() FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.note_verified(as_compared sync.peer) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.notice_restored(how text, life integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.our_triggers() FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.own_hash_chains() FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.own_token(OUT token bigint, OUT stamps integer) FROM PUBLIC;
GRANT ALL ON FUNCTION sync.own_token(OUT token bigint, OUT stamps integer) TO tpv_worker;
REVOKE ALL ON FUNCTION sync.password_in(conninfo text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.peer_gauges() FROM PUBLIC;
GRANT ALL ON FUNCTION sync.peer_gauges() TO tpv_monitor;
REVOKE ALL ON FUNCTION sync.peer_of_slot(slot text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.policy_changed() FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.policy_dry_run(table_name text, column_name text, rule jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION sync.policy_dry_run(table_name text, column_name text, rule jsonb) TO tpv_operator;
REVOKE ALL ON FUNCTION sync.policy_key(table_name text, column_name text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.prune_beats() FROM PUBLIC;
GRANT ALL ON FUNCTION sync.prune_beats() TO tpv_cron;
REVOKE ALL ON FUNCTION sync.prune_operations(most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION sync.prune_operations(most integer) TO tpv_cron;
REVOKE ALL ON FUNCTION sync.prune_records() FROM PUBLIC;
GRANT ALL ON FUNCTION sync.prune_records() TO tpv_cron;
REVOKE ALL ON FUNCTION sync.prune_resends() FROM PUBLIC;
GRANT ALL ON FUNCTION sync.prune_resends() TO tpv_cron;
REVOKE ALL ON FUNCTION sync.prune_runs() FROM PUBLIC;
GRANT ALL ON FUNCTION sync.prune_runs() TO tpv_cron;
REVOKE ALL ON FUNCTION sync.publish_statement(publication text, docs text, ops text, beats text, resends text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.receive_own(peer integer, said jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION sync.receive_own(peer integer, said jsonb) TO tpv_apply;
REVOKE ALL ON FUNCTION sync.receive_own_documents(documents json) FROM PUBLIC;
GRANT ALL ON FUNCTION sync.receive_own_documents(documents json) TO tpv_apply;
REVOKE ALL ON FUNCTION tpv.hash_chain_called(name text, node_id integer) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.hash_chain_called(name text, node_id integer) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION sync.receive_request(peer integer, wants json) FROM PUBLIC;
GRANT ALL ON FUNCTION sync.receive_request(peer integer, wants json) TO tpv_apply;
REVOKE ALL ON FUNCTION sync.reconcile() FROM PUBLIC;
GRANT ALL ON FUNCTION sync.reconcile() TO tpv_cron;
GRANT ALL ON FUNCTION sync.reconcile() TO tpv_operator;
REVOKE ALL ON FUNCTION sync.record_ban(store text, why text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.refuse_banned(node integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.refuse_key_change() FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.refuse_secret(table_name text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.rejoin_plan(store_code text, store_id integer, central_code text, central_id integer, store_conninfo text, central_conninfo text) FROM PUBLIC;
GRANT SELECT ON TABLE sync.accepted_snapshot TO tpv_operator;
GRANT SELECT ON TABLE sync.accepted_snapshot TO tpv_analyst;
GRANT SELECT,UPDATE ON TABLE sync.accepted_snapshot TO tpv_apply;
GRANT SELECT ON TABLE sync.drift TO tpv_operator;
GRANT SELECT(drift_id) ON TABLE sync.drift TO tpv_analyst;
GRANT SELECT(node_id) ON TABLE sync.drift TO tpv_analyst;
GRANT SELECT(what) ON TABLE sync.drift TO tpv_analyst;
GRANT SELECT(subject) ON TABLE sync.drift TO tpv_analyst;
GRANT SELECT(from_seq) ON TABLE sync.drift TO tpv_analyst;
GRANT SELECT(to_seq) ON TABLE sync.drift TO tpv_analyst;
GRANT SELECT(found_at) ON TABLE sync.drift TO tpv_analyst;
GRANT SELECT(requested_at) ON TABLE sync.drift TO tpv_analyst;
GRANT SELECT(resolved_at) ON TABLE sync.drift TO tpv_analyst;
GRANT SELECT ON TABLE sync.snapshot TO tpv_operator;
GRANT SELECT ON TABLE sync.snapshot TO tpv_analyst;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE sync.snapshot TO tpv_apply;
GRANT SELECT,INSERT,DELETE ON TABLE sync.snapshot_row TO tpv_apply;
REVOKE ALL ON FUNCTION sync.remove_peer(node_id integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.remove_row(table_name text, key text) FROM PUBLIC;
GRANT ALL ON FUNCTION sync.remove_row(table_name text, key text) TO tpv_apply;
REVOKE ALL ON FUNCTION sync.replay(quarantine_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION sync.replay(quarantine_id bigint) TO tpv_operator;
REVOKE ALL ON FUNCTION sync.replay_waiting(most integer, only_due boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION sync.replay_waiting(most integer, only_due boolean) TO tpv_cron;
GRANT ALL ON FUNCTION sync.replay_waiting(most integer, only_due boolean) TO tpv_operator;
REVOKE ALL ON FUNCTION tpv.hlc_now() FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.hlc_now() TO tpv_owner WITH GRANT OPTION;
GRANT SELECT,INSERT ON TABLE wire.resend TO tpv_apply;
REVOKE ALL ON FUNCTION sync.send(to_node integer, kind text, body text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.request(peer integer, wants json) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.request_all(peer integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.request_heads() FROM PUBLIC;
GRANT ALL ON FUNCTION sync.request_heads() TO tpv_worker;
REVOKE ALL ON FUNCTION sync.request_later(peer integer, wants json) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.request_lost(peer integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.require_central() FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.resolve_conflict(table_name text, key text, column_name text, node_id integer, seq bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION sync.resolve_conflict(table_name text, key text, column_name text, node_id integer, seq bigint) TO tpv_operator;
REVOKE ALL ON FUNCTION sync.restored_plan(central_conninfo text, reason text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.schema_version() FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.send_snapshot(to_node integer, asked uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.send_when_whole(store integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.serve_request(wanted sync.request, most integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.serve_requests(most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION sync.serve_requests(most integer) TO tpv_worker;
REVOKE ALL ON FUNCTION sync.set_aside_reused(seqs bigint[], peer integer) FROM PUBLIC;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE rollup.due TO tpv_fold;
GRANT SELECT ON TABLE rollup.due TO tpv_operator;
GRANT SELECT ON TABLE rollup.due TO tpv_analyst;
REVOKE ALL ON FUNCTION sync.setup_faults() FROM PUBLIC;
GRANT ALL ON FUNCTION sync.setup_faults() TO tpv_operator;
GRANT ALL ON FUNCTION sync.setup_faults() TO tpv_worker;
REVOKE ALL ON FUNCTION sync.shared(image jsonb, columns text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.shut_login(store text, why text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.slot_statement(slot text) FROM PUBLIC;
REVOKE ALL ON FUNCTION tpv.hlc_time(hlc bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.hlc_time(hlc bigint) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION sync.snapshot_was_sent(to_node integer, writer text, seq bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.store_number(store text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.subscribe_statement(subscription text, conninfo text, publication text, slot text, origin text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.subscription_options(version integer, origin text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.take_own_document(came wire.doc, is_second boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.take_stamps(documents json) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.tell_ban(recorded text, people integer, VARIADIC left_over text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.this_life(chain text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.track(table_name text, writer text, groups jsonb, owner_column text, duplicates jsonb, only_stricter jsonb, sets jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.unban(store text, why text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.undo_written(store text, since timestamp with time zone, why text, since_seq bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.unsubscribe_statement(subscription text) FROM PUBLIC;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE sync.quarantine TO tpv_apply;
GRANT SELECT(quarantine_id) ON TABLE sync.quarantine TO tpv_operator;
GRANT SELECT(quarantine_id) ON TABLE sync.quarantine TO tpv_analyst;
GRANT SELECT(at) ON TABLE sync.quarantine TO tpv_operator;
GRANT SELECT(at) ON TABLE sync.quarantine TO tpv_analyst;
GRANT SELECT(node_id) ON TABLE sync.quarantine TO tpv_operator;
GRANT SELECT(node_id) ON TABLE sync.quarantine TO tpv_analyst;
GRANT SELECT(node_id) ON TABLE sync.quarantine TO tpv_fold;
GRANT SELECT(doc_id) ON TABLE sync.quarantine TO tpv_operator;
GRANT SELECT(doc_id) ON TABLE sync.quarantine TO tpv_analyst;
GRANT SELECT(doc_id) ON TABLE sync.quarantine TO tpv_fold;
GRANT SELECT(business_date) ON TABLE sync.quarantine TO tpv_operator;
GRANT SELECT(business_date) ON TABLE sync.quarantine TO tpv_analyst;
GRANT SELECT(kind) ON TABLE sync.quarantine TO tpv_operator;
GRANT SELECT(kind) ON TABLE sync.quarantine TO tpv_analyst;
GRANT SELECT(code) ON TABLE sync.quarantine TO tpv_operator;
GRANT SELECT(code) ON TABLE sync.quarantine TO tpv_analyst;
GRANT SELECT(resolved_at) ON TABLE sync.quarantine TO tpv_operator;
GRANT SELECT(resolved_at) ON TABLE sync.quarantine TO tpv_analyst;
GRANT SELECT(resolved_at) ON TABLE sync.quarantine TO tpv_fold;
GRANT SELECT(seq) ON TABLE sync.quarantine TO tpv_operator;
GRANT SELECT(seq) ON TABLE sync.quarantine TO tpv_analyst;
GRANT SELECT(entire) ON TABLE sync.quarantine TO tpv_operator;
GRANT SELECT(entire) ON TABLE sync.quarantine TO tpv_analyst;
GRANT SELECT(tries) ON TABLE sync.quarantine TO tpv_operator;
GRANT SELECT(tries) ON TABLE sync.quarantine TO tpv_analyst;
GRANT SELECT(try_at) ON TABLE sync.quarantine TO tpv_operator;
GRANT SELECT(try_at) ON TABLE sync.quarantine TO tpv_analyst;
REVOKE ALL ON FUNCTION sync.waiting(most integer, only_due boolean) FROM PUBLIC;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE sync.head TO tpv_apply;
REVOKE ALL ON FUNCTION sync.was_written(table_name text, column_name text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.weigh_own(peer integer, said jsonb, reused bigint[], detail text, is_deeper boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.what_it_has(peer integer, stamps bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.with_password(subscription text, conninfo text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.withdraw_banned(store text, OUT people integer, OUT left_over text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.written_by(store text, since timestamp with time zone, since_seq bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.written_from(node integer, since timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION tpv.acting_employee() FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.acting_employee() TO tpv_owner WITH GRANT OPTION;
SET SESSION AUTHORIZATION tpv_owner;
GRANT ALL ON FUNCTION tpv.acting_employee() TO tpv_admin;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION tpv_owner;
GRANT ALL ON FUNCTION tpv.acting_employee() TO tpv_manager;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION tpv_owner;
GRANT ALL ON FUNCTION tpv.acting_employee() TO tpv_supervisor;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION tpv_owner;
GRANT ALL ON FUNCTION tpv.acting_employee() TO tpv_auditor;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION tpv_owner;
GRANT ALL ON FUNCTION tpv.acting_employee() TO tpv_concessionaire;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION tpv_owner;
GRANT ALL ON FUNCTION tpv.acting_employee() TO tpv_cashier;
RESET SESSION AUTHORIZATION;
REVOKE ALL ON FUNCTION tpv.acting_role() FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.acting_role() TO tpv_owner WITH GRANT OPTION;
SET SESSION AUTHORIZATION tpv_owner;
GRANT ALL ON FUNCTION tpv.acting_role() TO tpv_admin;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION tpv_owner;
GRANT ALL ON FUNCTION tpv.acting_role() TO tpv_manager;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION tpv_owner;
GRANT ALL ON FUNCTION tpv.acting_role() TO tpv_supervisor;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION tpv_owner;
GRANT ALL ON FUNCTION tpv.acting_role() TO tpv_auditor;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION tpv_owner;
GRANT ALL ON FUNCTION tpv.acting_role() TO tpv_concessionaire;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION tpv_owner;
GRANT ALL ON FUNCTION tpv.acting_role() TO tpv_cashier;
RESET SESSION AUTHORIZATION;
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
REVOKE ALL ON FUNCTION tpv.decide_undone(table_name text, key text, "values" jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.decide_undone(table_name text, key text, "values" jsonb) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.document_link(node_id integer, chain text, chain_seq bigint, doc_id uuid, kind text, business_date date, prev_hash bytea, content_hash bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.document_link(node_id integer, chain text, chain_seq bigint, doc_id uuid, kind text, business_date date, prev_hash bytea, content_hash bytea) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.empty_row(table_name text, key text) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.empty_row(table_name text, key text) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.enter(employee uuid, role text, scope jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.enter(employee uuid, role text, scope jsonb) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.erase(table_name text, key text) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.erase(table_name text, key text) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.forget_rules() FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.forget_rules() TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.form_faults(request jsonb, members text) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.form_faults(request jsonb, members text) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.gtin14(code text) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.gtin14(code text) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.gtin_check_digit(digits text) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.gtin_check_digit(digits text) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.guard_heads() FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.guard_heads() TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.hlc_ahead() FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.hlc_ahead() TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.hlc_observe(hlc bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.hlc_observe(hlc bigint) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.hlc_step_back() FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.hlc_step_back() TO tpv_owner WITH GRANT OPTION;
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
REVOKE ALL ON FUNCTION tpv.item_digits(code text, department text, on_date date, rules jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.item_digits(code text, department text, on_date date, rules jsonb) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.item_key(code text, department text, on_date date, rules jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.item_key(code text, department text, on_date date, rules jsonb) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.life() FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.life() TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.may_see(node integer, department text, business_date date) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.may_see(node integer, department text, business_date date) TO tpv_owner WITH GRANT OPTION;
SET SESSION AUTHORIZATION tpv_owner;
GRANT ALL ON FUNCTION tpv.may_see(node integer, department text, business_date date) TO tpv_admin;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION tpv_owner;
GRANT ALL ON FUNCTION tpv.may_see(node integer, department text, business_date date) TO tpv_manager;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION tpv_owner;
GRANT ALL ON FUNCTION tpv.may_see(node integer, department text, business_date date) TO tpv_supervisor;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION tpv_owner;
GRANT ALL ON FUNCTION tpv.may_see(node integer, department text, business_date date) TO tpv_auditor;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION tpv_owner;
GRANT ALL ON FUNCTION tpv.may_see(node integer, department text, business_date date) TO tpv_concessionaire;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION tpv_owner;
GRANT ALL ON FUNCTION tpv.may_see(node integer, department text, business_date date) TO tpv_cashier;
RESET SESSION AUTHORIZATION;
REVOKE ALL ON FUNCTION tpv.may_see_node(node integer) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.may_see_node(node integer) TO tpv_owner WITH GRANT OPTION;
SET SESSION AUTHORIZATION tpv_owner;
GRANT ALL ON FUNCTION tpv.may_see_node(node integer) TO tpv_admin;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION tpv_owner;
GRANT ALL ON FUNCTION tpv.may_see_node(node integer) TO tpv_manager;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION tpv_owner;
GRANT ALL ON FUNCTION tpv.may_see_node(node integer) TO tpv_supervisor;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION tpv_owner;
GRANT ALL ON FUNCTION tpv.may_see_node(node integer) TO tpv_auditor;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION tpv_owner;
GRANT ALL ON FUNCTION tpv.may_see_node(node integer) TO tpv_concessionaire;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION tpv_owner;
GRANT ALL ON FUNCTION tpv.may_see_node(node integer) TO tpv_cashier;
RESET SESSION AUTHORIZATION;
REVOKE ALL ON FUNCTION tpv.may_write(table_name text, is_joined_store boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.may_write(table_name text, is_joined_store boolean) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.next_life(said jsonb, here jsonb, before integer) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.next_life(said jsonb, here jsonb, before integer) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.own_differences(said jsonb, here jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.own_differences(said jsonb, here jsonb) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.peer_differences(facts jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.peer_differences(facts jsonb) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.policy_check(table_name text, column_name text, rule jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.policy_check(table_name text, column_name text, rule jsonb) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.policy_dry_run(table_name text, column_name text, rule jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.policy_dry_run(table_name text, column_name text, rule jsonb) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.prune_operations(node_id integer, from_seq bigint, known text, before_hlc bigint, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.prune_operations(node_id integer, from_seq bigint, known text, before_hlc bigint, most integer) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.rebuild_projections(node integer, from_date date, to_date date, dry_run boolean, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.rebuild_projections(node integer, from_date date, to_date date, dry_run boolean, most integer) TO tpv_owner WITH GRANT OPTION;
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
REVOKE ALL ON FUNCTION tpv.undo_written(node_id integer, from_seq bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.undo_written(node_id integer, from_seq bigint) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.verify_chains() FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.verify_chains() TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.void_receipt(receipt_id uuid, why text) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.void_receipt(receipt_id uuid, why text) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.who_decides(table_name text) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.who_decides(table_name text) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.withdraw_dat(receipt_id uuid, why text) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.withdraw_dat(receipt_id uuid, why text) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION tpv.written_by(node_id integer, from_seq bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION tpv.written_by(node_id integer, from_seq bigint) TO tpv_owner WITH GRANT OPTION;
REVOKE ALL ON FUNCTION wire.add_partition(month date) FROM PUBLIC;
REVOKE ALL ON FUNCTION wire.maintain_partitions() FROM PUBLIC;
GRANT ALL ON FUNCTION wire.maintain_partitions() TO tpv_cron;
GRANT ALL ON FUNCTION wire.maintain_partitions() TO tpv_operator;
REVOKE ALL ON FUNCTION wire.verify_chains() FROM PUBLIC;
GRANT ALL ON FUNCTION wire.verify_chains() TO tpv_operator;
GRANT ALL ON FUNCTION wire.verify_chains() TO tpv_analyst;
GRANT SELECT ON TABLE bi.analyst_login TO tpv_analyst;
GRANT SELECT ON TABLE org.legal_entity TO tpv_operator;
GRANT SELECT ON TABLE org.legal_entity TO tpv_analyst;
GRANT SELECT,INSERT,UPDATE ON TABLE org.legal_entity TO tpv_apply;
GRANT SELECT ON TABLE org.store TO tpv_operator;
GRANT SELECT ON TABLE org.store TO tpv_analyst;
GRANT SELECT,INSERT,UPDATE ON TABLE org.store TO tpv_apply;
GRANT SELECT ON TABLE bi.store TO tpv_analyst;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE rollup.until TO tpv_fold;
GRANT SELECT ON TABLE rollup.until TO tpv_operator;
GRANT SELECT ON TABLE bi.chain_freshness TO tpv_analyst;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE rollup.sales_hour TO tpv_fold;
GRANT SELECT ON TABLE rollup.sales_hour TO tpv_operator;
GRANT SELECT ON TABLE bi.sales_by_day TO tpv_analyst;
GRANT SELECT ON TABLE bi.chain_sales_by_day TO tpv_analyst;
GRANT SELECT ON TABLE catalog.tax TO tpv_operator;
GRANT SELECT ON TABLE catalog.tax TO tpv_analyst;
GRANT SELECT,INSERT,UPDATE ON TABLE catalog.tax TO tpv_apply;
GRANT SELECT ON TABLE org.department TO tpv_operator;
GRANT SELECT ON TABLE org.department TO tpv_analyst;
GRANT SELECT,INSERT,UPDATE ON TABLE org.department TO tpv_apply;
GRANT SELECT ON TABLE bi.department TO tpv_analyst;
GRANT SELECT ON TABLE bi.concessionaire TO tpv_analyst;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE sync.sibling TO tpv_apply;
GRANT SELECT ON TABLE bi.conflict TO tpv_analyst;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE rollup.bucket TO tpv_fold;
GRANT SELECT ON TABLE rollup.bucket TO tpv_operator;
GRANT SELECT ON TABLE bi.date TO tpv_analyst;
GRANT INSERT ON TABLE rollup.restated TO tpv_fold;
GRANT SELECT ON TABLE rollup.restated TO tpv_operator;
GRANT SELECT ON TABLE bi.day_status TO tpv_analyst;
GRANT SELECT ON TABLE bi.freshness TO tpv_analyst;
GRANT SELECT ON TABLE bi.held_receipt TO tpv_analyst;
GRANT SELECT ON TABLE bi.number_gap TO tpv_analyst;
GRANT SELECT ON TABLE catalog.barcode TO tpv_operator;
GRANT SELECT ON TABLE catalog.barcode TO tpv_analyst;
GRANT SELECT,INSERT,UPDATE ON TABLE catalog.barcode TO tpv_apply;
GRANT SELECT ON TABLE catalog.local_code TO tpv_operator;
GRANT SELECT ON TABLE catalog.local_code TO tpv_analyst;
GRANT SELECT,INSERT,UPDATE ON TABLE catalog.local_code TO tpv_apply;
GRANT SELECT ON TABLE catalog.price TO tpv_operator;
GRANT SELECT ON TABLE catalog.price TO tpv_analyst;
GRANT SELECT,INSERT,UPDATE ON TABLE catalog.price TO tpv_apply;
GRANT SELECT ON TABLE catalog.product TO tpv_operator;
GRANT SELECT ON TABLE catalog.product TO tpv_analyst;
GRANT SELECT,INSERT,UPDATE ON TABLE catalog.product TO tpv_apply;
GRANT SELECT ON TABLE bi.price_check TO tpv_analyst;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE rollup.item TO tpv_fold;
GRANT SELECT ON TABLE rollup.item TO tpv_operator;
GRANT SELECT ON TABLE bi.product TO tpv_analyst;
GRANT SELECT ON TABLE bi.receipt TO tpv_analyst;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE rollup.terminal_day TO tpv_fold;
GRANT SELECT ON TABLE rollup.terminal_day TO tpv_operator;
GRANT SELECT ON TABLE bi.receipts_by_state TO tpv_analyst;
GRANT SELECT ON TABLE sales.rejected TO tpv_operator;
GRANT SELECT ON TABLE bi.rejected_file TO tpv_analyst;
GRANT SELECT ON TABLE bi.restated_day TO tpv_analyst;
GRANT SELECT ON TABLE bi.sale_line TO tpv_analyst;
GRANT SELECT ON TABLE bi.sales_by_department TO tpv_analyst;
GRANT SELECT ON TABLE bi.sales_by_concessionaire TO tpv_analyst;
GRANT SELECT ON TABLE bi.sales_by_hour TO tpv_analyst;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE rollup.item_day TO tpv_fold;
GRANT SELECT ON TABLE rollup.item_day TO tpv_operator;
GRANT SELECT ON TABLE bi.sales_by_item TO tpv_analyst;
GRANT SELECT ON TABLE bi.sales_by_terminal TO tpv_analyst;
GRANT SELECT ON TABLE bi.stopped_selling TO tpv_analyst;
GRANT SELECT ON TABLE catalog.tax_rate TO tpv_operator;
GRANT SELECT ON TABLE catalog.tax_rate TO tpv_analyst;
GRANT SELECT,INSERT,UPDATE ON TABLE catalog.tax_rate TO tpv_apply;
GRANT SELECT ON TABLE bi.tax TO tpv_analyst;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE rollup.tax_day TO tpv_fold;
GRANT SELECT ON TABLE rollup.tax_day TO tpv_operator;
GRANT SELECT ON TABLE bi.tax_by_day TO tpv_analyst;
GRANT SELECT ON TABLE org.terminal TO tpv_operator;
GRANT SELECT ON TABLE org.terminal TO tpv_analyst;
GRANT SELECT,INSERT,UPDATE ON TABLE org.terminal TO tpv_apply;
GRANT SELECT ON TABLE bi.terminal TO tpv_analyst;
GRANT SELECT ON TABLE sync.hash_chain TO tpv_operator;
GRANT SELECT ON TABLE sync.hash_chain TO tpv_analyst;
GRANT SELECT ON TABLE sync.hash_chain TO tpv_apply;
GRANT SELECT ON TABLE sync.hash_chain TO tpv_worker;
GRANT SELECT ON TABLE bi.terminal_freshness TO tpv_analyst;
GRANT SELECT ON TABLE bi.terminal_success TO tpv_analyst;
GRANT SELECT ON TABLE bi.total_check TO tpv_analyst;
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
GRANT SELECT ON TABLE journal.erasure TO tpv_operator;
GRANT SELECT ON TABLE journal.head TO tpv_operator;
GRANT SELECT ON TABLE journal.loosening TO tpv_operator;
GRANT SELECT ON TABLE journal.operation TO tpv_operator;
GRANT SELECT ON TABLE journal.quarantine TO tpv_operator;
GRANT SELECT ON TABLE journal.resolution TO tpv_operator;
GRANT INSERT ON TABLE sync.set_aside TO tpv_apply;
GRANT SELECT ON TABLE journal.set_aside TO tpv_operator;
GRANT SELECT ON TABLE journal.sibling TO tpv_operator;
GRANT SELECT ON TABLE sec.audit TO tpv_operator;
GRANT INSERT ON TABLE sec.audit TO tpv_apply;
GRANT SELECT ON TABLE own.audit TO tpv_admin;
GRANT SELECT ON TABLE own.audit TO tpv_auditor;
GRANT SELECT ON TABLE own.audit TO tpv_manager;
GRANT SELECT ON TABLE own.barcode TO tpv_admin;
GRANT SELECT ON TABLE own.barcode TO tpv_auditor;
GRANT SELECT ON TABLE own.barcode TO tpv_cashier;
GRANT SELECT ON TABLE own.barcode TO tpv_concessionaire;
GRANT SELECT ON TABLE own.barcode TO tpv_manager;
GRANT SELECT ON TABLE own.barcode TO tpv_supervisor;
GRANT SELECT ON TABLE own.customer TO tpv_auditor;
GRANT SELECT ON TABLE own.customer TO tpv_cashier;
GRANT SELECT ON TABLE own.customer TO tpv_manager;
GRANT SELECT ON TABLE own.customer TO tpv_supervisor;
GRANT SELECT ON TABLE own.dat_file TO tpv_auditor;
GRANT SELECT ON TABLE own.dat_file TO tpv_cashier;
GRANT SELECT ON TABLE own.dat_file TO tpv_concessionaire;
GRANT SELECT ON TABLE own.dat_file TO tpv_manager;
GRANT SELECT ON TABLE own.dat_file TO tpv_supervisor;
GRANT SELECT ON TABLE own.department TO tpv_admin;
GRANT SELECT ON TABLE own.department TO tpv_auditor;
GRANT SELECT ON TABLE own.department TO tpv_cashier;
GRANT SELECT ON TABLE own.department TO tpv_concessionaire;
GRANT SELECT ON TABLE own.department TO tpv_manager;
GRANT SELECT ON TABLE own.department TO tpv_supervisor;
GRANT SELECT ON TABLE own.drift TO tpv_admin;
GRANT SELECT ON TABLE own.drift TO tpv_auditor;
GRANT SELECT ON TABLE own.drift TO tpv_manager;
GRANT SELECT ON TABLE own.employee TO tpv_admin;
GRANT SELECT ON TABLE own.employee TO tpv_auditor;
GRANT SELECT ON TABLE own.employee TO tpv_manager;
GRANT SELECT ON TABLE own.local_code TO tpv_admin;
GRANT SELECT ON TABLE own.local_code TO tpv_auditor;
GRANT SELECT ON TABLE own.local_code TO tpv_cashier;
GRANT SELECT ON TABLE own.local_code TO tpv_concessionaire;
GRANT SELECT ON TABLE own.local_code TO tpv_manager;
GRANT SELECT ON TABLE own.local_code TO tpv_supervisor;
GRANT SELECT ON TABLE own.me TO tpv_admin;
GRANT SELECT ON TABLE own.me TO tpv_auditor;
GRANT SELECT ON TABLE own.me TO tpv_cashier;
GRANT SELECT ON TABLE own.me TO tpv_concessionaire;
GRANT SELECT ON TABLE own.me TO tpv_manager;
GRANT SELECT ON TABLE own.me TO tpv_supervisor;
GRANT SELECT ON TABLE own.node TO tpv_admin;
GRANT SELECT ON TABLE own.node TO tpv_auditor;
GRANT SELECT ON TABLE own.node TO tpv_manager;
GRANT SELECT ON TABLE own.pending_revocation TO tpv_admin;
GRANT SELECT ON TABLE own.pending_revocation TO tpv_auditor;
GRANT SELECT ON TABLE own.pending_revocation TO tpv_manager;
GRANT SELECT ON TABLE own.price TO tpv_admin;
GRANT SELECT ON TABLE own.price TO tpv_auditor;
GRANT SELECT ON TABLE own.price TO tpv_cashier;
GRANT SELECT ON TABLE own.price TO tpv_concessionaire;
GRANT SELECT ON TABLE own.price TO tpv_manager;
GRANT SELECT ON TABLE own.price TO tpv_supervisor;
GRANT SELECT ON TABLE own.product TO tpv_admin;
GRANT SELECT ON TABLE own.product TO tpv_auditor;
GRANT SELECT ON TABLE own.product TO tpv_cashier;
GRANT SELECT ON TABLE own.product TO tpv_concessionaire;
GRANT SELECT ON TABLE own.product TO tpv_manager;
GRANT SELECT ON TABLE own.product TO tpv_supervisor;
GRANT SELECT ON TABLE own.quarantine TO tpv_admin;
GRANT SELECT ON TABLE own.quarantine TO tpv_auditor;
GRANT SELECT ON TABLE own.quarantine TO tpv_manager;
GRANT SELECT ON TABLE sales.raw TO tpv_operator;
GRANT SELECT ON TABLE own.raw TO tpv_auditor;
GRANT SELECT ON TABLE own.raw TO tpv_concessionaire;
GRANT SELECT ON TABLE own.raw TO tpv_manager;
GRANT SELECT ON TABLE own.raw TO tpv_supervisor;
GRANT SELECT ON TABLE own.receipt TO tpv_auditor;
GRANT SELECT ON TABLE own.receipt TO tpv_cashier;
GRANT SELECT ON TABLE own.receipt TO tpv_concessionaire;
GRANT SELECT ON TABLE own.receipt TO tpv_manager;
GRANT SELECT ON TABLE own.receipt TO tpv_supervisor;
GRANT SELECT ON TABLE own.receipt_event TO tpv_auditor;
GRANT SELECT ON TABLE own.receipt_event TO tpv_cashier;
GRANT SELECT ON TABLE own.receipt_event TO tpv_concessionaire;
GRANT SELECT ON TABLE own.receipt_event TO tpv_manager;
GRANT SELECT ON TABLE own.receipt_event TO tpv_supervisor;
GRANT SELECT ON TABLE own.receipt_line TO tpv_auditor;
GRANT SELECT ON TABLE own.receipt_line TO tpv_cashier;
GRANT SELECT ON TABLE own.receipt_line TO tpv_concessionaire;
GRANT SELECT ON TABLE own.receipt_line TO tpv_manager;
GRANT SELECT ON TABLE own.receipt_line TO tpv_supervisor;
GRANT SELECT ON TABLE own.rejected TO tpv_auditor;
GRANT SELECT ON TABLE own.rejected TO tpv_concessionaire;
GRANT SELECT ON TABLE own.rejected TO tpv_manager;
GRANT SELECT ON TABLE own.rejected TO tpv_supervisor;
GRANT SELECT ON TABLE own.role_grant TO tpv_admin;
GRANT SELECT ON TABLE own.role_grant TO tpv_auditor;
GRANT SELECT ON TABLE own.role_grant TO tpv_manager;
GRANT SELECT ON TABLE own.scope TO tpv_admin;
GRANT SELECT ON TABLE own.scope TO tpv_auditor;
GRANT SELECT ON TABLE own.scope TO tpv_cashier;
GRANT SELECT ON TABLE own.scope TO tpv_concessionaire;
GRANT SELECT ON TABLE own.scope TO tpv_manager;
GRANT SELECT ON TABLE own.scope TO tpv_supervisor;
GRANT SELECT ON TABLE own.session TO tpv_admin;
GRANT SELECT ON TABLE own.session TO tpv_auditor;
GRANT SELECT ON TABLE own.session TO tpv_cashier;
GRANT SELECT ON TABLE own.session TO tpv_concessionaire;
GRANT SELECT ON TABLE own.session TO tpv_manager;
GRANT SELECT ON TABLE own.session TO tpv_supervisor;
GRANT SELECT ON TABLE own.sibling TO tpv_admin;
GRANT SELECT ON TABLE own.sibling TO tpv_auditor;
GRANT SELECT ON TABLE own.sibling TO tpv_manager;
GRANT SELECT ON TABLE own.sibling TO tpv_supervisor;
GRANT SELECT ON TABLE own.store TO tpv_admin;
GRANT SELECT ON TABLE own.store TO tpv_auditor;
GRANT SELECT ON TABLE own.store TO tpv_cashier;
GRANT SELECT ON TABLE own.store TO tpv_concessionaire;
GRANT SELECT ON TABLE own.store TO tpv_manager;
GRANT SELECT ON TABLE own.store TO tpv_supervisor;
GRANT SELECT ON TABLE own.tax TO tpv_admin;
GRANT SELECT ON TABLE own.tax TO tpv_auditor;
GRANT SELECT ON TABLE own.tax TO tpv_cashier;
GRANT SELECT ON TABLE own.tax TO tpv_concessionaire;
GRANT SELECT ON TABLE own.tax TO tpv_manager;
GRANT SELECT ON TABLE own.tax TO tpv_supervisor;
GRANT SELECT ON TABLE own.tax_rate TO tpv_admin;
GRANT SELECT ON TABLE own.tax_rate TO tpv_auditor;
GRANT SELECT ON TABLE own.tax_rate TO tpv_cashier;
GRANT SELECT ON TABLE own.tax_rate TO tpv_concessionaire;
GRANT SELECT ON TABLE own.tax_rate TO tpv_manager;
GRANT SELECT ON TABLE own.tax_rate TO tpv_supervisor;
GRANT SELECT ON TABLE own.terminal TO tpv_admin;
GRANT SELECT ON TABLE own.terminal TO tpv_auditor;
GRANT SELECT ON TABLE own.terminal TO tpv_cashier;
GRANT SELECT ON TABLE own.terminal TO tpv_concessionaire;
GRANT SELECT ON TABLE own.terminal TO tpv_manager;
GRANT SELECT ON TABLE own.terminal TO tpv_supervisor;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE rollup.guess_due TO tpv_fold;
GRANT SELECT ON TABLE rollup.guess_due TO tpv_operator;
GRANT SELECT ON TABLE sales.held TO tpv_operator;
GRANT SELECT ON TABLE sales.held TO tpv_analyst;
GRANT SELECT ON TABLE sales.line_tax TO tpv_operator;
GRANT SELECT ON TABLE sales.line_tax TO tpv_analyst;
GRANT SELECT ON TABLE sales.receipt_tax TO tpv_operator;
GRANT SELECT ON TABLE sales.receipt_tax TO tpv_analyst;
GRANT SELECT ON TABLE sales.terminal_tail TO tpv_operator;
GRANT SELECT ON TABLE sync.accepted_drift TO tpv_operator;
GRANT SELECT(what) ON TABLE sync.accepted_drift TO tpv_apply;
GRANT SELECT(subject) ON TABLE sync.accepted_drift TO tpv_apply;
GRANT SELECT(from_seq) ON TABLE sync.accepted_drift TO tpv_apply;
GRANT SELECT(to_seq) ON TABLE sync.accepted_drift TO tpv_apply;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE sync.awaited TO tpv_apply;
GRANT SELECT,INSERT,UPDATE ON TABLE sync.beat_counter TO tpv_worker;
GRANT SELECT,INSERT ON TABLE sync.change TO tpv_fold;
GRANT SELECT ON TABLE sync.change TO tpv_operator;
GRANT SELECT,UPDATE ON TABLE sync.change_head TO tpv_fold;
GRANT SELECT ON TABLE sync.change_head TO tpv_operator;
GRANT SELECT ON TABLE sync.clone TO tpv_operator;
GRANT SELECT ON TABLE sync.clone TO tpv_analyst;
GRANT SELECT ON TABLE sync.clone TO tpv_worker;
GRANT SELECT ON TABLE sync.duplicate TO tpv_operator;
GRANT SELECT ON TABLE sync.life TO tpv_operator;
GRANT SELECT ON TABLE sync.own_chain TO tpv_operator;
GRANT SELECT ON TABLE sync.own_chain TO tpv_analyst;
GRANT SELECT ON TABLE sync.own_said TO tpv_operator;
GRANT SELECT ON TABLE sync.own_said TO tpv_analyst;
GRANT SELECT ON TABLE sync.policy TO tpv_operator;
GRANT SELECT ON TABLE sync.policy TO tpv_analyst;
GRANT SELECT,INSERT,UPDATE ON TABLE sync.policy TO tpv_apply;
GRANT SELECT ON TABLE sync.pruned TO tpv_operator;
GRANT SELECT ON TABLE sync.pruned TO tpv_analyst;
GRANT SELECT ON TABLE sync.pruning TO tpv_operator;
GRANT SELECT ON TABLE sync.pruning TO tpv_analyst;
GRANT SELECT ON TABLE sync.refusal TO tpv_operator;
GRANT SELECT ON TABLE sync.refusal TO tpv_analyst;
GRANT SELECT,INSERT,UPDATE ON TABLE sync.refusal TO tpv_apply;
GRANT SELECT ON TABLE sync.restored TO tpv_operator;
GRANT SELECT ON TABLE sync.restored TO tpv_analyst;
GRANT SELECT ON TABLE sync.second_place TO tpv_operator;
GRANT SELECT ON TABLE sync.second_place TO tpv_analyst;
GRANT SELECT,DELETE ON TABLE sync.touched TO tpv_fold;
GRANT INSERT ON TABLE sync.touched TO tpv_apply;
GRANT SELECT ON TABLE sync.touched TO tpv_operator;
GRANT SELECT ON TABLE sync.touched TO tpv_analyst;
GRANT SELECT ON TABLE sync.status TO tpv_operator;
GRANT SELECT ON TABLE sync.status TO tpv_analyst;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tpv_lock.fold TO tpv_fold;
GRANT SELECT,INSERT ON TABLE wire.beat TO tpv_apply;
GRANT SELECT ON TABLE wire.beat TO tpv_operator;
GRANT SELECT ON TABLE wire.beat TO tpv_analyst;
GRANT SELECT,INSERT ON TABLE wire.beat TO tpv_worker;
GRANT SELECT ON TABLE wire.beat TO tpv_fold;
GRANT SELECT,INSERT ON TABLE wire.doc_default TO tpv_apply;
GRANT SELECT,INSERT ON TABLE wire.op_1 TO tpv_apply;
GRANT SELECT,INSERT ON TABLE wire.op_default TO tpv_apply;
REVOKE ALL ON FUNCTION sync.note_end(snapshot_id uuid, of_node integer, why text) FROM PUBLIC;

-- DEFAULT PRIVILEGES FOR TABLES; Type: DEFAULT ACL; Schema: wire; Owner: tpv_owner
ALTER DEFAULT PRIVILEGES FOR ROLE tpv_owner IN SCHEMA wire GRANT SELECT,INSERT ON TABLES  TO tpv_apply;

-- DEFAULT PRIVILEGES FOR FUNCTIONS; Type: DEFAULT ACL; Schema: -; Owner: tpv_owner
ALTER DEFAULT PRIVILEGES FOR ROLE tpv_owner REVOKE ALL ON FUNCTIONS  FROM PUBLIC;
