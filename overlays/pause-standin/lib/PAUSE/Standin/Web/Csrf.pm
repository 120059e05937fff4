# SPDX-License-Identifier: MIT
package PAUSE::Standin::Web::Csrf;

# Forms carry a token that belongs to a cookie of the browser. The secret between them is made when
# the application is loaded, so it must be loaded once for all workers.
use v5.36;

use Digest::SHA qw(hmac_sha256_hex);
use PAUSE::Standin::Password qw(random_hex);

my $COOKIE = 'pause_session';

sub new ($class) { bless { secret => random_hex(32) }, $class }

# For one request.
sub of ($self, $req) {
    my $sent = $req->cookies->{$COOKIE} // '';
    my $is_known = $sent =~ /^[0-9a-f]{32}\z/;
    return bless {
        cookie => $is_known ? $sent : random_hex(16),
        is_known => $is_known,
        path => $req->script_name . '/pause',
        secret => $self->{secret},
        sent => $req->method eq 'POST' ? $req->body_parameters->get('csrf_token') // '' : '',
    }, ref $self;
}

sub token ($self) {
    $self->{is_used} = 1;
    return hmac_sha256_hex($self->{cookie}, $self->{secret});
}

sub is_good ($self) {
    return $self->{is_known} && $self->{sent} eq hmac_sha256_hex($self->{cookie}, $self->{secret});
}

# Gives the browser its cookie, if the page has a token and the browser none.
sub mark ($self, $res) {
    return if $self->{is_known} || !$self->{is_used};
    $res->cookies->{$COOKIE} =
        { value => $self->{cookie}, path => $self->{path}, httponly => 1, samesite => 'Lax' };
}

1;
