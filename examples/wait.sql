-- Waits, for 20 seconds at most, until the customer of conflict.sql is here as the variable `until`
-- says.
select set_config('example.until', :'until', false) \g /dev/null
do $$
declare
  so boolean;
begin
  for look in 1..400 loop
    execute format('select exists (select from party.customer where customer_id = %L and %s)',
                   '00000000-0000-7000-8000-0000000000a1', current_setting('example.until')) into so;
    exit when so;
    perform pg_sleep(0.05);
  end loop;
  if not so then
    raise exception 'after 20 seconds there is no customer with %', current_setting('example.until');
  end if;
end $$;
