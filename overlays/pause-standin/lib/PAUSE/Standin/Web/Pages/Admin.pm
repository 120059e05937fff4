# SPDX-License-Identifier: MIT
package PAUSE::Standin::Web::Pages::Admin;

# Pages for administrators.
use v5.36;

use PAUSE::Standin::DB qw(mod_db);
use PAUSE::Standin::Web::Page qw(page error_page table form input);
use PAUSE::Standin::Web::Pages::Password ();

my @STATES = qw(unused active delete nologin);

sub pages () {
    return (
        add_user => { group => 'admin', code => \&add_user },
        manage_id_requests => { group => 'admin', code => \&manage_id_requests },
        select_user => { group => 'admin', code => \&select_user },
        change_user_status => { group => 'admin', csrf => 1, code => \&change_user_status },
    );
}

sub add_user ($call) {
    my ($id, $name, $email) = map { $call->{req}->body_parameters->get("pause99_add_user_$_") // '' }
        qw(userid fullname email);
    return page(200, 'PAUSE: add a user', form($call, [SUBMIT_pause99_add_user_sub => 'Add'],
        map { input($_, "pause99_add_user_$_") } qw(userid fullname email))) if $id eq '';
    return error_page(200, 'ERROR: an id has three to nine capital letters.') if $id !~ /^[A-Z]{3,9}\z/;
    my $added = mod_db()->do(
        'INSERT IGNORE INTO users (userid, fullname, email, introduced, changed, changedby)'
            . ' VALUES (?, ?, ?, ?, ?, ?)',
        undef, $id, $name, $email, (time) x 2, $call->{user}{id});
    return error_page(200, 'ERROR: this id is taken.') unless $added > 0;
    PAUSE::Standin::Web::Pages::Password::send_link($call->{req}, $id, $email) if $email;
    return page(200, 'PAUSE: add a user', '<p>The user is added, and a mail is under way.</p>');
}

# Requests are mails here.
sub manage_id_requests ($call) { page(200, 'PAUSE: requests for ids', '<p>Look into your mail.</p>') }

sub select_user ($call) {
    my $rows = mod_db()->selectall_arrayref('SELECT userid, fullname, ustatus FROM users ORDER BY userid');
    return page(200, 'PAUSE: users', table(['PAUSE id', 'Name', 'Status'], @$rows));
}

sub change_user_status ($call) {
    my ($id, $new) = map { $call->{req}->body_parameters->get("pause99_change_user_status_$_") // '' }
        qw(user new_ustatus);
    if ($id ne '') {
        return error_page(200, "ERROR: the status is one of @STATES.") unless grep { $_ eq $new } @STATES;
        mod_db()->do('UPDATE users SET ustatus = ? WHERE userid = ?', undef, $new, uc $id);
    }
    return page(200, 'PAUSE: status of a user', form(
        $call, [SUBMIT_pause99_change_user_status_sub => 'Change'],
        input('PAUSE id', 'pause99_change_user_status_user'),
        input('Status', 'pause99_change_user_status_new_ustatus')));
}

1;
