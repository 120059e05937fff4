# SPDX-License-Identifier: MIT
package PAUSE::Standin::Web::Auth;

# Who is asking, by HTTP Basic.
use v5.36;

use MIME::Base64 qw(decode_base64);
use PAUSE::Standin::DB qw(mod_db authen_db);
use PAUSE::Standin::Password qw(hash_password password_matches is_old_hash);
use PAUSE::Standin::Web::Page qw(page);

# The user as a hash, or nothing. Dies without a database, also when nobody tries to log in.
sub login ($req) {
    authen_db();
    my ($encoded) = ($req->header('Authorization') // '') =~ /^Basic\s+(\S+)/i or return;
    my ($name, $password) = split /:/, decode_base64($encoded), 2;
    return unless length($password // '');
    my $row = find($name) // find(uc $name) // return;
    return unless password_matches($password, $row->{password});
    note_visit($row->{user}, $password, $row->{password});
    return with_rights($row);
}

sub ask () {
    my $res = page(401, 'PAUSE: login', '<p>Please log in with your PAUSE id and password.</p>');
    $res->header('WWW-Authenticate' => 'Basic realm="PAUSE"');
    return $res;
}

sub find ($name) {
    my $row = authen_db()->selectrow_hashref('SELECT * FROM usertable WHERE user = ?', undef, $name);
    return unless $row && $row->{password};
    my ($status) =
        mod_db()->selectrow_array('SELECT ustatus FROM users WHERE userid = ?', undef, $row->{user});
    return $row if defined $status && $status ne 'nologin';
    return;
}

sub note_visit ($user, $password, $hash) {
    authen_db()->do('UPDATE usertable SET lastvisit = NOW() WHERE user = ?', undef, $user);
    return unless is_old_hash($hash);
    authen_db()->do(
        'UPDATE usertable SET password = ? WHERE user = ?', undef, hash_password($password), $user);
}

sub with_rights ($row) {
    my $groups = authen_db()->selectcol_arrayref(
        'SELECT ugroup FROM grouptable WHERE user = ?', undef, $row->{user});
    my %is_in = map { $_ => 1 } @$groups;
    return {
        id => uc $row->{user},
        forcechange => $row->{forcechange},
        is_admin => $is_in{admin},
        groups => $groups,
    };
}

1;
