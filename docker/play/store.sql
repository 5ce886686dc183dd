-- What the stores of compose.yaml sell.
select org.register_department(code => '01', name => 'Fish', concessionaire => 'Pescados Ruiz SL');
select org.register_terminal(code => 'T01', department_code => '01', declares => '{}');
select org.register_terminal(code => 'T02', department_code => '01', declares => '{}');
