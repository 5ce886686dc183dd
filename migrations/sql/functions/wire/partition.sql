create or replace function wire.add_partition(month date) returns boolean
language plpgsql set search_path = pg_catalog, pg_temp as $$
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
comment on function wire.add_partition(date) is
  'Makes the partition of wire.doc for the month of that day, and moves the rows of that month '
  'there from the default partition. Returns false if the partition exists already.';

create or replace function wire.maintain_partitions() returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
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
comment on function wire.maintain_partitions() is
  'Keeps partitions of wire.doc from 13 months back to 3 months ahead, and moves what is of one of '
  'these months there from the default partition. Returns how many it made. pg_cron calls it each night.';
grant execute on function wire.maintain_partitions() to tpv_cron, tpv_operator;
