-- dat.staged tells a staged file by place and bytes: publish, withdrawn, or unknown where its
-- transaction never committed.

\ir prelude/store.sql

do $$
declare
    first record;
    folder text := test.folder();
begin
    select * into first from test.take(test.receipt('1'));
    perform test.equal(dat.staged(folder, 'scon011.dat', sha256(first.dat)), 'publish', 'what belongs on the disk');
    perform test.equal(dat.staged(folder, 'scon011.dat', sha256('other bytes')), 'unknown', 'other bytes');
    perform test.equal(dat.staged(folder, 'scon012.dat', sha256(first.dat)), 'unknown', 'another name');
    perform test.equal(dat.staged('19990101', 'scon011.dat', sha256(first.dat)), 'unknown', 'another folder');
    perform test.equal(dat.staged(folder, 'SCON011.DAT', sha256(first.dat)), 'unknown', 'the name is exact');

    perform dat.withdraw(first.receipt_id, 'test');
    perform test.equal(dat.staged(folder, 'scon011.dat', sha256(first.dat)), 'withdrawn', 'what was withdrawn');

    set local client_min_messages = error;
    perform dat.save_profile('{"fields": [{"name": "description", "length": 5}]}');
    perform dat.render_again(first.receipt_id, 'test');
    perform test.equal(dat.staged(folder, 'scon011.dat', sha256('PAN  ')), 'publish', 'what took its place');
    perform test.equal(dat.staged(folder, 'scon011.dat', sha256(first.dat)),
        'withdrawn', 'what it took the place of');
    perform dat.render_again(first.receipt_id, 'the same again');
    perform test.equal(dat.staged(folder, 'scon011.dat', sha256('PAN  ')),
        'publish', 'what was superseded by the same bytes belongs on the disk');
end
$$;
