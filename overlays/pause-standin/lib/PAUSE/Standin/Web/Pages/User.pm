# SPDX-License-Identifier: MIT
package PAUSE::Standin::Web::Pages::User;

# Pages for authors who are logged in.
use v5.36;

use PAUSE ();
use PAUSE::Standin::DB qw(mod_db);
use PAUSE::Standin::Web::Page qw(page error_page table form input escape);

my $TAIL_BYTES = 20_000;

my %CODE = (
    menu => \&menu,
    add_uri => \&add_uri,
    show_files => \&show_files,
    edit_uris => \&edit_uris,
    delete_files => \&delete_files,
    reindex => \&reindex,
    reset_version => \&reset_version,
    share_perms => \&share_perms,
    peek_perms => \&peek_perms,
    tail_logfile => \&tail_logfile,
    edit_cred => \&edit_cred,
);
my %HAS_TOKEN = (edit_cred => 1);

sub pages () {
    return map { $_ => { group => 'user', csrf => $HAS_TOKEN{$_}, code => $CODE{$_} } } keys %CODE;
}

sub menu ($call) {
    my @names = (sort(grep { $_ ne 'menu' } keys %CODE), qw(change_passwd list_tokens new_token));
    push @names, qw(add_user select_user manage_id_requests change_user_status) if $call->{user}{is_admin};
    my $list = join '', map { qq{<li><a href="/pause/authenquery?ACTION=$_">$_</a>\n} } @names;
    return page(200, 'PAUSE: welcome', "<p>Hello, @{[escape($call->{user}{id})]}.</p>\n<ul>\n$list</ul>\n");
}

sub add_uri ($call) {
    my $id = escape($call->{user}{id});
    return page(200, 'PAUSE: add a file', <<"HTML");
<form method="post" action="/pause/authenquery" enctype="multipart/form-data">
<input type="hidden" name="HIDDENNAME" value="$id">
<p><label>File <input type="file" name="pause99_add_uri_httpupload"></label>
<button name="SUBMIT_pause99_add_uri_httpupload" value="1">Upload this file</button></p>
<p><label>Address <input type="text" name="pause99_add_uri_uri"></label>
<button name="SUBMIT_pause99_add_uri_uri" value="1">Fetch this address</button></p>
<p><label>Subdirectory <input type="text" name="pause99_add_uri_subdirtext"></label></p>
</form>
HTML
}

sub rows_of ($query, @values) { mod_db()->selectall_arrayref($query, undef, @values)->@* }

sub show_files ($call) {
    my $dir = "$PAUSE::Config->{PUB}/authors/id/" . PAUSE::user_dir($call->{user}{id});
    my @rows = map { [s{.*/}{}r, -s, scalar gmtime((stat)[9])] } grep { -f } glob "$dir/*";
    return page(200, 'PAUSE: files', table(['Name', 'Bytes', 'Time'], @rows));
}

sub edit_uris ($call) {
    my @rows = rows_of(
        q{SELECT uriid, uri, dgot, nosuccesscount FROM uris WHERE userid = ? AND dverified = ''},
        $call->{user}{id});
    return page(200, 'PAUSE: pending uploads', table(['Path', 'Address', 'Got', 'Failures'], @rows));
}

# The name of one of the user's own files, from a form.
sub own_file ($call, $field) {
    my $name = $call->{req}->body_parameters->get($field) // return;
    my $id = PAUSE::user_dir($call->{user}{id}) . "/$name";
    return if $name =~ m{\.\.|^/};
    return -f "$PAUSE::Config->{PUB}/authors/id/$id" ? $id : undef;
}

sub delete_files ($call) {
    my $id = own_file($call, 'pause99_delete_files_FILE');
    mod_db()->do('REPLACE INTO deletes (deleteid, changed, changedby) VALUES (?, ?, ?)',
        undef, $id, time, $call->{user}{id}) if $id;
    my @rows = rows_of('SELECT deleteid FROM deletes WHERE changedby = ?', $call->{user}{id});
    return page(200, 'PAUSE: delete files', table(['Will be deleted'], @rows) . form(
        $call, [SUBMIT_pause99_delete_files_delete => 'Delete'], input('File', 'pause99_delete_files_FILE')));
}

# The next full run of the indexer takes what has no mark.
sub reindex ($call) {
    my $id = own_file($call, 'pause99_reindex_FILE');
    mod_db()->do('DELETE FROM distmtimes WHERE dist = ?', undef, $id) if $id;
    return page(200, 'PAUSE: index again', ($id ? '<p>It will be indexed again.</p>' : '') . form(
        $call, [SUBMIT_pause99_reindex_delete => 'Index again'], input('File', 'pause99_reindex_FILE')));
}

sub reset_version ($call) {
    my $package = $call->{req}->body_parameters->get('pause99_reset_version_PKG');
    mod_db()->do(
        q{UPDATE packages SET version = 'undef' WHERE package = ?}
            . ' AND lc_package IN (SELECT lc_package FROM primeur WHERE userid = ?)',
        undef, $package, $call->{user}{id}) if defined $package;
    return page(200, 'PAUSE: reset a version', form($call, [SUBMIT_pause99_reset_version_forget => 'Reset'],
        input('Package', 'pause99_reset_version_PKG')));
}

sub share_perms ($call) {
    my ($package, $other) = map { $call->{req}->body_parameters->get("pause99_share_perms_$_") // '' }
        qw(package userid);
    mod_db()->do(
        'INSERT IGNORE INTO perms (package, lc_package, userid) SELECT package, lc_package, ? FROM primeur'
            . ' WHERE package = ? AND userid = ?',
        undef, uc $other, $package, $call->{user}{id}) if length $other;
    return page(200, 'PAUSE: share permissions', form($call, [SUBMIT_pause99_share_perms_sub => 'Share'],
        input('Package', 'pause99_share_perms_package'), input('With', 'pause99_share_perms_userid')));
}

sub peek_perms ($call) {
    my @rows = rows_of(q{SELECT package, userid, 'first-come' FROM primeur WHERE userid = ?}
        . q{ UNION ALL SELECT package, userid, 'permitted' FROM perms WHERE userid = ? ORDER BY 1, 3},
        ($call->{user}{id}) x 2);
    return page(200, 'PAUSE: permissions', table(['Package', 'User', 'Kind'], @rows));
}

sub tail_logfile ($call) {
    my $path = "$PAUSE::Config->{LOG_DIR}/paused.log";
    open my $in, '<:raw', $path or die "cannot read '$path': $!\n";
    seek $in, -$TAIL_BYTES, 2 if -s $in > $TAIL_BYTES;
    local $/ = undef;
    return page(200, 'PAUSE: log of the daemon', '<pre>' . escape(<$in> // '') . "</pre>\n");
}

sub edit_cred ($call) {
    my $id = $call->{user}{id};
    my $body = $call->{req}->body_parameters;
    my ($fullname, $email) = map { scalar $body->get("pause99_edit_cred_$_") } qw(fullname email);
    return error_page(200, 'ERROR: this is no address.')
        if defined $email && $email !~ /^[^\s@]+@[^\s@]+\z/;
    mod_db()->do('UPDATE users SET fullname = ?, email = ?, changed = ?, changedby = ? WHERE userid = ?',
        undef, $fullname // '', $email, time, $id, $id) if defined $email;
    my $row = mod_db()->selectrow_hashref('SELECT fullname, email FROM users WHERE userid = ?', undef, $id);
    return page(200, 'PAUSE: account', form($call, [SUBMIT_pause99_edit_cred_sub => 'Save'],
        input('Full name', 'pause99_edit_cred_fullname', 'text', $row->{fullname}),
        input('Email', 'pause99_edit_cred_email', 'email', $row->{email})));
}

1;
