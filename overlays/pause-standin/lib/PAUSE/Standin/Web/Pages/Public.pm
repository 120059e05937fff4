# SPDX-License-Identifier: MIT
package PAUSE::Standin::Web::Pages::Public;

# Pages for everybody.
use v5.36;

use PAUSE ();
use PAUSE::Standin::DB qw(authen_db);
use PAUSE::Standin::Mail qw(send_mail);
use PAUSE::Standin::Web::Page qw(page redirect table form input);

my %TITLE = (
    pause_04about => 'About',
    pause_04imprint => 'Imprint',
    pause_05news => 'News',
    pause_06history => 'History',
    pause_namingmodules => 'Names of modules',
    pause_operating_model => 'Operating model',
    pause_privacy_policy => 'Privacy policy',
);

sub pages () {
    my %code = (
        front => \&front,
        request_id => \&request_id,
        who_admin => sub ($call) { members('Administrators', 'admin') },
        perl_releasers => sub ($call) { members('Releasers of perl', 'pumpking') },
        who_pumpkin => sub ($call) { redirect('/pause/query?ACTION=perl_releasers', 302) },
        map { $_ => \&document } keys %TITLE,
    );
    return map { $_ => { group => 'public', code => $code{$_} } } keys %code;
}

sub front ($call) {
    my @names = (sort(keys %TITLE), qw(request_id mailpw who_admin perl_releasers));
    my $list = join '', map { qq{<li><a href="/pause/query?ACTION=$_">$_</a>\n} } @names;
    return page(200, 'PAUSE: the stand-in of the upload server', <<"HTML");
<p>Nothing here is the real Perl Authors Upload Server. This small program stands in for it, so that
everything around it can be built and tested.</p>
<p><a href="/pause/authenquery">Log in</a></p>
<ul>
$list</ul>
HTML
}

sub document ($call) {
    return page(200, "PAUSE: $TITLE{$call->{name}}",
        '<p>The real server has a text here. The stand-in has this sentence.</p>');
}

sub members ($title, $group) {
    my $users = authen_db()->selectcol_arrayref(
        'SELECT user FROM grouptable WHERE ugroup = ? ORDER BY user', undef, $group);
    return page(200, "PAUSE: $title", table(['PAUSE id'], map { [$_] } @$users));
}

sub request_id ($call) {
    my $body = $call->{req}->body_parameters;
    my @fields = map { ["pause99_request_id_$_", $body->get("pause99_request_id_$_") // ''] }
        qw(userid fullname email rationale);
    return page(200, 'PAUSE: request an id', form($call, [SUBMIT_pause99_request_id_sub => 'Request'],
        map { input($_->[0] =~ s/.*_//r, $_->[0]) } @fields)) unless grep { length $_->[1] } @fields;
    my $text = join '', map { "$_->[0]: $_->[1]\n" } @fields;
    send_mail(to => $PAUSE::Config->{ADMIN}, subject => 'PAUSE ID request', text => $text);
    return page(200, 'PAUSE: request an id', '<p>The administrators will look at it.</p>');
}

1;
