create or replace function sec.make_view(name text, permission text, query text, comment text, shows text[], columns jsonb,
                                         sorted text default null)
returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
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
comment on function sec.make_view(text, text, text, text, text[], jsonb, text) is
  'Makes a view of schema own that is read by the roles with a permission, and by nobody else. shows are '
  'the tables whose comments its columns bear; columns are the comments of the others.';

create or replace function sec.shared_comment(column_name text) returns text
language sql immutable set search_path = pg_catalog, pg_temp
begin atomic
  select case shared_comment.column_name
    when 'etag' then 'The version of the row: it changes with each change. Functions that change a row want it.'
    when 'at' then 'When.'
    when 'node_id' then 'The node: the store that it is about.'
    when 'department' then 'The department, as receipts name it.'
    when 'receipt_id' then 'The receipt.'
    when 'terminal' then 'The terminal.'
  end;
end;
comment on function sec.shared_comment(text) is 'What columns of schema own mean that several views have.';

create or replace function sec.offer(verb text, permission text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
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
comment on function sec.offer(text, text) is
  'Lets the roles with a permission, and nobody else, call a function of schema own.';
