-- A number may be a UUID. Blanks and slashes in it need a declared id_map, which is for the name of the file alone:
-- the number stays what was printed, and two that map alike never meet in one file.

\ir prelude/store.sql

set client_min_messages = error;
select org.register_terminal('T02', '02', '{"id_map": {" ": "_", "/": "-"}}') \g /dev/null
reset client_min_messages;

do $$
declare
    answer record;
    id uuid;
begin
    select * into answer from test.take(test.receipt('0f8fad5b-d9cb-469f-a165-70867728950e'));
    assert answer.outcome = 'accepted'
        and answer.dat_name = 'scon010f8fad5b-d9cb-469f-a165-70867728950e.dat', answer::text;
    select * into answer from test.take(test.receipt('T/2026/000123'));
    assert answer.outcome = 'quarantined' and answer.code = 'BAD_ID' and answer.pointer = '/receiptId', answer::text;

    select * into answer from test.take(test.receipt('T/2026/000123', terminal => 'T02'), 'T02');
    assert answer.outcome = 'accepted' and answer.dat_name = 'scon02T-2026-000123.dat', answer::text;
    perform test.equal((select receipt_number from sales.receipt where receipt_id = answer.receipt_id),
        'T/2026/000123', 'the number is the printed one');
    select * into answer from test.take(test.receipt('Order 06393-028', terminal => 'T02'), 'T02');
    perform test.equal(answer.dat_name, 'scon02Order_06393-028.dat', 'a blank has a name, too');
    select * into answer from test.take(test.receipt('../../x', terminal => 'T02'), 'T02');
    perform test.equal(answer.code, 'BAD_ID', 'a path is none');

    select * into answer from test.take(test.receipt('T-2026-000123', terminal => 'T02'), 'T02');
    assert answer.outcome = 'held' and answer.code = 'NAME_COLLISION', 'another number with that name: ' || answer::text;
    id := answer.receipt_id;
    perform sales.release(id, 'two tickets', 'scon02T-2026-000123-2.dat');
    perform test.equal((select name from dat.file where receipt_id = id), 'scon02T-2026-000123-2.dat',
        'it is released under another one');

    select receipt_id into id from test.take(test.receipt('T/2026/000124', total => 9, terminal => 'T02'), 'T02');
    perform sales.release(id, 'the paper says so');
    perform test.equal((select name from dat.file where receipt_id = id), 'scon02T-2026-000124.dat',
        'what is released has the name, too');

    perform test.refused($sql$select org.register_terminal('T03', '03', '{"id_map": {"/": "../"}}')$sql$, '22023',
        what => 'what stands for a character is safe in a name');
    perform test.refused($sql$select org.register_terminal('T03', '03', '{"id_map": {"#": "-"}}')$sql$, '22023',
        what => 'only blanks and slashes can be declared');
end
$$;
