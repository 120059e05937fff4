# SPDX-License-Identifier: MIT
package PAUSE::Standin::Web::Pages::Tokens;

# Tokens with which programs upload.
use v5.36;

use PAUSE::Standin::Token ();
use PAUSE::Standin::Web::Page qw(page table form input escape);

sub pages () {
    return (
        list_tokens => { group => 'user', csrf => 1, code => \&list_tokens },
        new_token => { group => 'user', csrf => 1, code => \&new_token },
    );
}

sub list_tokens ($call) {
    my $user = $call->{user}{id};
    my $id = $call->{req}->body_parameters->get('pause99_list_tokens_id');
    PAUSE::Standin::Token::revoke($user, $id) if defined $id;
    my $table = table(['Id', 'Description', 'Addresses', 'Made', 'Expires', ''],
        map { row_of($_) } PAUSE::Standin::Token::list($user));
    return page(200, 'PAUSE: tokens', $table . form(
        $call, [SUBMIT_pause99_list_tokens_revoke => 'Revoke'], input('Id', 'pause99_list_tokens_id')));
}

sub row_of ($token) {
    my $state = $token->{revoked} ? 'revoked' : '';
    return [$token->@{qw(token_id description ip_ranges created_at expires_at)}, $state];
}

sub new_token ($call) {
    my $req = $call->{req};
    my $body = $req->body_parameters;
    return page(200, 'PAUSE: new token', form($call, [SUBMIT_pause99_new_token_sub => 'Make'],
        input('Description', 'pause99_new_token_description'),
        input('Only from these addresses', 'pause99_new_token_ip_ranges'))) if $req->method ne 'POST';
    my $token = PAUSE::Standin::Token::create(
        $call->{user}{id},
        $body->get('pause99_new_token_description') // '',
        $body->get('pause99_new_token_ip_ranges') || undef);
    return page(200, 'PAUSE: new token', '<p>This is shown once:</p>'
        . '<pre id="token">' . escape($token) . "</pre>\n");
}

1;
