-- A block holds for a whole node, at central for the chain. So it is for those who look after wherever
-- somebody has a role there, and who lets her in again looks after as much as whoever blocked her. The
-- same holds for ending her sessions.

\ir prelude/central.sql
\ir prelude/people.sql

select test.node(1, 'S01', '01 02'), test.node(2, 'S02', '01') \g /dev/null
select test.hire('one', 'manager', 1), test.hire('two', 'manager', 2), test.hire('fish', 'manager', 1, '02'), test.hire('boss', 'admin'),
    test.hire('ana', 'cashier', 1), test.hire('eva', 'cashier', 1, '02'), test.hire('eva', 'cashier', 1, '01'),
    test.hire('luz', 'cashier', 1), test.hire('luz', 'cashier', 2), test.hire('root', 'admin'), test.hire('root', 'cashier', 1),
    test.hire('old', 'cashier', 1), test.hire('old', 'cashier', 2, null, current_date - 9, current_date - 5) \g /dev/null

create function test.tries(verb text, code text) returns text language sql as $$
    select test.faults(format('select own.%I(%L)', verb, jsonb_build_object('employee_id', test.employee(code), 'why', 'case 1')))
$$;
create function test.tries_to_end(code text) returns text language sql as $$
    select test.faults(format('select own.end_session(%L)', jsonb_build_object('session_id', (test.session(code, 'cashier')).session_id)))
$$;

set session authorization tpv_gateway_user;
do $$
begin
    perform test.enter('one', 'manager');
    perform test.equal(test.tries('block', 'root'), 'TP403', 'an administrator of the chain who also works in her store');
    perform test.equal(test.tries('block', 'luz'), 'TP403', 'somebody who also works in another');
    perform test.equal(test.tries('block', 'old'), '00000', 'what is over does not matter');
    perform test.equal(test.tries('block', 'ana'), '00000', 'her own');
    perform test.equal(test.tries('unblock', 'ana'), '00000', 'whom she blocked');
    perform test.equal(array[test.tries_to_end('root'), test.tries_to_end('luz'), test.tries_to_end('ana')], '{TP403,TP403,00000}'::text[], 'sessions');
end
$$;
do $$
begin
    perform test.enter('fish', 'manager');
    perform test.equal(test.tries('block', 'ana'), 'TP404', 'of a department: nobody of the whole store');
    perform test.equal(test.tries('block', 'eva'), 'TP403', 'nor of another department');
end
$$;
do $$
begin
    perform test.enter('boss', 'admin');
    perform test.equal(array[test.tries('block', 'ana'), test.tries('block', 'root')], '{00000,00000}'::text[], 'the chain');
end
$$;
do $$
begin
    perform test.enter('one', 'manager');
    perform test.equal(test.tries('unblock', 'ana'), 'TP403', 'the store does not undo what the chain did');
    perform test.equal(test.tries('unblock', 'root'), 'TP403', 'nor somebody of more');
end
$$;
do $$
begin
    perform test.enter('boss', 'admin');
    perform test.equal(array[test.tries('unblock', 'old'), test.tries('unblock', 'ana')], '{00000,00000}'::text[], 'who looks after more lets her in');
end
$$;
reset session authorization;
-- The one who has the database has it all.
insert into sec.block (employee_id, why) values (test.employee('ana'), 'case 2');
set session authorization tpv_gateway_user;
do $$
begin
    perform test.enter('one', 'manager');
    perform test.equal(test.tries('unblock', 'ana'), 'TP403', 'blocked in psql');
end
$$;
