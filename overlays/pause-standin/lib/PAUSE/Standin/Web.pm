# SPDX-License-Identifier: MIT
package PAUSE::Standin::Web;

# The web application: what path leads where.
use v5.36;

use PAUSE ();
use PAUSE::Standin::Web::Api ();
use PAUSE::Standin::Web::Auth ();
use PAUSE::Standin::Web::Browse ();
use PAUSE::Standin::Web::Csrf ();
use PAUSE::Standin::Web::Errors ();
use PAUSE::Standin::Web::Page qw(page redirect);
use PAUSE::Standin::Web::Pages ();
use PAUSE::Standin::Web::Status ();
use PAUSE::Standin::Web::Upload ();
use Plack::Builder qw(builder enable);
use Plack::Request ();

sub new ($class) {
    return bless {
        closed => PAUSE::closed(),
        csrf => PAUSE::Standin::Web::Csrf->new,
        status => PAUSE::Standin::Web::Status->new,
    }, $class;
}

sub to_app ($self) {
    my $app = sub ($env) { $self->answer(Plack::Request->new($env))->finalize };
    return builder {
        enable 'ContentLength';
        enable 'Head';
        enable 'ReverseProxy';
        enable '+PAUSE::Standin::Web::Errors';
        $app;
    };
}

sub answer ($self, $req) {
    $self->{status}->count;
    my $path = $req->path_info;
    return $self->{status}->answer if $path eq '/status';
    return closed_page() if $self->{closed};
    return redirect(home($req)) if $path eq '/';
    return redirect('/pause/query?ACTION=pause_05news') if $path eq '/index.html';
    return redirect('/pause/query') if $path =~ m{^/pause/?\z};
    return $self->query($req) if $path eq '/pause/query';
    return $self->authenquery($req) if $path eq '/pause/authenquery';
    return PAUSE::Standin::Web::Api::upload($req) if $path eq '/api/upload' && $req->method eq 'POST';
    return PAUSE::Standin::Web::Browse::answer($req) if PAUSE::Standin::Web::Browse::serves($path);
    return page(404, 'PAUSE: not found', '<p>There is no such page.</p>');
}

sub closed_page () {
    return page(200, 'PAUSE: Closed', '<p>This server is closed for a while. Please come back later.</p>');
}

# Always with TLS, and on its usual port.
sub home ($req) {
    my $host = ($req->env->{HTTP_HOST} // $PAUSE::Config->{SERVER_NAME}) =~ s/:\d+\z//r;
    my $query = $req->env->{QUERY_STRING} // '';
    return "https://$host/pause/query" . (length $query ? "?$query" : '');
}

sub query ($self, $req) {
    return $self->run_action($req, undef, 'public');
}

sub authenquery ($self, $req) {
    my $user = PAUSE::Standin::Web::Auth::login($req) or return PAUSE::Standin::Web::Auth::ask();
    return PAUSE::Standin::Web::Upload::by_form($req, $user)
        if $req->method eq 'POST' && PAUSE::Standin::Web::Upload::is_wanted($req);
    return $self->run_action($req, $user, $user->{is_admin} ? qw(public user admin) : qw(public user));
}

sub run_action ($self, $req, $user, @groups) {
    my $name = scalar $req->param('ACTION') // ($user ? 'menu' : 'front');
    $name = 'change_passwd' if $user && $user->{forcechange};
    my $action = PAUSE::Standin::Web::Pages::find($name, $req, @groups) or return forbidden();
    my $csrf = $self->{csrf}->of($req);
    return forbidden() if $action->{csrf} && $req->method eq 'POST' && !$csrf->is_good;
    my $res = $action->{code}->({ req => $req, user => $user, csrf => $csrf, name => $name });
    $csrf->mark($res);
    return $res;
}

sub forbidden () { page(403, 'PAUSE: forbidden', '<p>You may not do that.</p>') }

1;
