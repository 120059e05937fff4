# SPDX-License-Identifier: MIT
package PAUSE::Standin::Web::Pages::Password;

# Lost and new passwords. Who lost one gets a mail with a link, good for some days and for one use.
use v5.36;

use PAUSE ();
use PAUSE::Standin::DB qw(mod_db authen_db);
use PAUSE::Standin::Mail qw(send_mail);
use PAUSE::Standin::Password qw(hash_password random_hex);
use PAUSE::Standin::Web::Page qw(page error_page form input escape);

my $MIN_LENGTH = 8;

sub pages () {
    return (
        mailpw => { group => 'public', csrf => 1, code => \&mailpw },
        change_passwd =>
            { group => 'user', csrf => 1, code => \&change_passwd, is_open_to => \&user_of_link },
    );
}

sub mailpw ($call) {
    my $user = uc($call->{req}->body_parameters->get('pause99_mailpw_1') // '');
    return page(200, 'PAUSE: forgotten password', form($call, [SUBMIT_pause99_mailpw_sub => 'Send a link'],
        input('PAUSE id', 'pause99_mailpw_1'))) if $user eq '';
    my ($address) = mod_db()->selectrow_array(
        q{SELECT email FROM users WHERE userid = ? AND ustatus <> 'nologin'}, undef, $user);
    send_link($call->{req}, $user, $address) if $address;
    return page(200, 'PAUSE: forgotten password', '<p>If there is such an id, a mail is under way.</p>');
}

# Leads where the request came: like PAUSE, it trusts the proxy to say where that is.
sub send_link ($req, $user, $address) {
    my $secret = random_hex(24);
    authen_db()->do(
        'REPLACE INTO abrakadabra (user, chpasswd, expires) VALUES (?, ?, NOW() + INTERVAL 3 DAY)',
        undef, $user, $secret);
    my $host = $req->env->{HTTP_HOST} // $PAUSE::Config->{SERVER_NAME};
    my $link = "https://$host/pause/query?ACTION=change_passwd&ABRA=$user.$secret";
    send_mail(to => $address, subject => "A new password for $user", text => "Set it here:\n\n$link\n");
}

sub user_of_link ($req) {
    my ($user, $secret) = (scalar $req->param('ABRA') // '') =~ /^([A-Z0-9]+)\.([0-9a-f]{48})\z/ or return;
    my ($found) = authen_db()->selectrow_array(
        'SELECT user FROM abrakadabra WHERE user = ? AND chpasswd = ? AND expires > NOW()',
        undef, $user, $secret);
    return $found;
}

sub change_passwd ($call) {
    my $req = $call->{req};
    my $user = $call->{user} ? $call->{user}{id} : user_of_link($req);
    my ($new, $again) = map { $req->body_parameters->get("pause99_change_passwd_pw$_") // '' } 1, 2;
    return ask_new_password($call) if $req->method ne 'POST' || $new eq '';
    return error_page(200, 'ERROR: the two are not the same.') if $new ne $again;
    return error_page(200, 'ERROR: this is too short.') if length $new < $MIN_LENGTH;
    set_password($user, $new, $user);
    return page(200, 'PAUSE: change password', '<p>The password is changed.</p>');
}

sub ask_new_password ($call) {
    my $link = escape(scalar $call->{req}->param('ABRA'));
    return page(200, 'PAUSE: change password', form($call, [SUBMIT_pause99_change_passwd_sub => 'Change'],
        ($link ? qq{<input type="hidden" name="ABRA" value="$link">\n} : ()),
        input('New password', 'pause99_change_passwd_pw1', 'password'),
        input('Again', 'pause99_change_passwd_pw2', 'password')));
}

sub set_password ($user, $password, $by) {
    authen_db()->do(
        'INSERT INTO usertable (user, password, forcechange, changed, changedby) VALUES (?, ?, 0, ?, ?)'
            . ' ON DUPLICATE KEY UPDATE password = VALUES(password), forcechange = 0,'
            . ' changed = VALUES(changed), changedby = VALUES(changedby)',
        undef, $user, hash_password($password), time, $by);
    authen_db()->do('DELETE FROM abrakadabra WHERE user = ?', undef, $user);
}

1;
