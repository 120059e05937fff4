# SPDX-License-Identifier: MIT
package PAUSE::Standin::Token;

# Tokens for uploads by programs: USER:ID:SECRET, of which the secret is shown once and never stored.
use v5.36;

use Digest::SHA qw(hmac_sha256_hex);
use PAUSE::Standin::DB qw(authen_db);
use PAUSE::Standin::Password qw(random_hex);

sub create ($user, $description, $ip_ranges) {
    my ($id, $secret) = (random_hex(8), random_hex(24));
    authen_db()->do(
        'INSERT INTO auth_tokens (user, token_id, token_hash, description, ip_ranges, scope,'
            . ' revoked, created_at) VALUES (?, ?, ?, ?, ?, ?, 0, NOW())',
        undef, $user, $id, hmac_sha256_hex($id, $secret), $description, $ip_ranges, 'upload');
    return "$user:$id:$secret";
}

sub list ($user) {
    my $query = 'SELECT * FROM auth_tokens WHERE user = ? ORDER BY id';
    return authen_db()->selectall_arrayref($query, { Slice => {} }, $user)->@*;
}

sub revoke ($user, $id) {
    my $change = 'UPDATE auth_tokens SET revoked = 1 WHERE user = ? AND token_id = ?';
    return authen_db()->do($change, undef, $user, $id) > 0;
}

# Why a token is not good from this address, or nothing.
sub fault ($token, $ip) {
    my ($user, $id, $secret) = split /:/, $token;
    return 'malformed token' unless length($secret // '');
    my $row = authen_db()->selectrow_hashref(
        'SELECT *, expires_at < NOW() AS expired FROM auth_tokens WHERE user = ? AND token_id = ?',
        undef, $user, $id);
    return 'unknown token' unless $row && $row->{token_hash} eq hmac_sha256_hex($id, $secret);
    return 'revoked token' if $row->{revoked};
    return 'expired token' if $row->{expired};
    return 'address not allowed' unless allows_address($row->{ip_ranges} // '', $ip);
    return;
}

sub allows_address ($ranges, $ip) {
    my @ranges = split ' ', $ranges =~ tr/,/ /r or return 1;
    require Net::CIDR;
    return eval { Net::CIDR::cidrlookup($ip, @ranges) };
}

# Every use is written down, the good ones with no error.
sub log_use ($user, $id, $ip, $error) {
    authen_db()->do(
        'INSERT INTO auth_log (user, token_id, ip, error, created_at) VALUES (?, ?, ?, ?, NOW())',
        undef, $user, $id, $ip, $error);
}

1;
