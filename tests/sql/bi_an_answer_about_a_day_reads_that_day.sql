-- Whoever asks for a business day reads what was summed up of that day, by an index, and no line of a receipt. What is about single
-- receipts goes by the day's receipts.

\ir prelude/three_stores.sql

-- Small tables are read whole, however good an index is: here nothing is, where there is another way.
set enable_seqscan = off;
set jit = off;

create function test.scans(query text) returns table (relation text, condition text) language plpgsql as $$
declare
    plan jsonb;
begin
    execute 'explain (format json, verbose) ' || query into plan;
    return query
    with recursive node (n) as (
        select plan -> 0 -> 'Plan'
        union all
        select c from node cross join lateral jsonb_array_elements(node.n -> 'Plans') c
    )
    -- The condition of a bitmap stands below its table.
    select n ->> 'Relation Name',
        case when n ->> 'Node Type' = 'Seq Scan' then 'all' else concat_ws(' ', n ->> 'Index Cond', n ->> 'Recheck Cond') end
    from node where n ? 'Relation Name' and n ->> 'Schema' in ('rollup', 'sales');
end
$$;

do $$
declare
    answer text;
    wrong text;
begin
    foreach answer in array array['chain_sales_by_day', 'sales_by_day', 'sales_by_department', 'sales_by_hour', 'sales_by_terminal',
        'sales_by_concessionaire', 'sales_by_item', 'tax_by_day', 'receipts_by_state', 'restated_day', 'day_status', 'terminal_success',
        'receipt', 'number_gap', 'total_check', 'price_check', 'sale_line'] loop
        perform test.equal((select count(*) > 0 from test.scans(format('select * from bi.%I where business_date = ''2026-06-10''', answer))), true,
            answer || ' reads something');
        select string_agg(concat_ws(' ', s.relation, 'by', s.condition), ', ') into wrong
        from test.scans(format('select * from bi.%I where business_date = ''2026-06-10''', answer)) s
        -- Rows of a store or of an item that was found are looked up by their keys. What was refused is few.
        where s.relation not in ('until', 'item', 'day_close', 'rejected')
            and s.condition !~ 'business_date' and not (s.relation in ('receipt', 'receipt_line') and s.condition ~ 'receipt_id');
        assert wrong is null, format('bi.%s reads more than a day: %s', answer, wrong);
        if answer not in ('price_check', 'sale_line') then
            assert not exists (select from test.scans(format('select * from bi.%I where business_date = ''2026-06-10''', answer)) s
                where s.relation = 'receipt_line'), format('bi.%s reads lines', answer);
        end if;
        if answer ~ 'sales_by|tax_by|by_state|restated|status|success' then
            assert not exists (select from test.scans(format('select * from bi.%I where business_date = ''2026-06-10''', answer)) s
                where s.relation = 'receipt'), format('bi.%s reads receipts', answer);
        end if;
    end loop;
end
$$;
