-- What is wrong with a request. A function of schema own says its members in one line,
-- 'receipt_id uuid!; why why!; file_name file': a name, what it is, and ! where it must be there.
-- tpv.form_faults compares.

create or replace function sec.fault(pointer text, code text, detail text) returns jsonb
language sql immutable set search_path = pg_catalog, pg_temp
begin atomic
  select jsonb_build_array(jsonb_build_object('pointer', pointer, 'code', code, 'detail', detail));
end;
comment on function sec.fault(text, text, text) is 'A list of one fault of a request: where, a stable code, a sentence.';

create or replace function sec.refuse_faults(faults jsonb) returns void
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
  if jsonb_array_length(faults) > 0 then
    raise exception 'the request has faults' using errcode = 'TP422', detail = faults::text;
  end if;
end $$;
comment on function sec.refuse_faults(jsonb) is 'Refuses a request with all its faults, if it has any.';
