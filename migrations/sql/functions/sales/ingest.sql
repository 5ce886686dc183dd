-- What the watcher calls. Its statements are planned once in a session, perhaps while the tables
-- are empty. Every look-up in them is by key, and has to stay one when the tables have grown.

create or replace function sales.ingest_files(terminal text, files bytea[], names text[])
returns table ("position" integer, outcome text, receipt_id uuid, dat_folder text, dat_name text, dat bytea,
               trigger_name text,
  first_outcome text, flags text[], code text, pointer text, detail text)
language sql security definer set search_path = pg_catalog, pg_temp
  set enable_seqscan = off as
$$ select * from tpv.ingest_files(terminal, files, names) $$;
comment on function sales.ingest_files(text, bytea[], text[]) is
  'Receives files of one terminal: one answer for each, in their order. A fault of one file never '
  'touches another. At most 64 at a time. A name with a folder that is a day, 20261128/4711.json, '
  'says that the file is one of the archive, and arrived on that day.';

create or replace function sales.ingest_batch(terminal text, files bytea[])
returns table ("position" integer, outcome text, receipt_id uuid, dat_folder text, dat_name text, dat bytea,
               code text, pointer text, detail text)
language sql security definer set search_path = pg_catalog, pg_temp
  set enable_seqscan = off as
$$ select "position", outcome, receipt_id, dat_folder, dat_name, dat, code, pointer, detail
     from tpv.ingest_files(terminal, files, null) $$;
comment on function sales.ingest_batch(text, bytea[]) is
  'Receives files of one terminal, for callers that know no file names: see sales.ingest_files.';

create or replace function sales.record_rejection(terminal text, file_name text, size_bytes bigint, sha256 bytea,
                                                  code text, detail text, raw bytea)
returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  insert into sales.rejected (terminal, file_name, size_bytes, sha256, code, detail, raw)
  values (terminal, file_name, size_bytes, sha256, code, detail, raw)
  on conflict do nothing
$$;
comment on function sales.record_rejection(text, text, bigint, bytea, text, text, bytea) is
  'Records a file that the watcher itself refused: cut off, empty, too large. The same bytes under '
  'the same name are recorded once.';

grant execute on function sales.ingest_files(text, bytea[], text[]), sales.ingest_batch(text, bytea[]),
  sales.record_rejection(text, text, bigint, bytea, text, text, bytea) to tpv_watcher;
