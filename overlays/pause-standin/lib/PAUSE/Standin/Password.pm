# SPDX-License-Identifier: MIT
package PAUSE::Standin::Password;

# Passwords are stored as bcrypt; hashes of 13 characters (DES) are read, too. And random strings.
use v5.36;

use Exporter qw(import);

our @EXPORT_OK = qw(hash_password password_matches is_old_hash random_hex);

my @ALPHABET = ('.', '/', 'A' .. 'Z', 'a' .. 'z', '0' .. '9');
my $COST = 12;

sub random_bytes ($count) {
    open my $in, '<:raw', '/dev/urandom' or die "cannot read /dev/urandom: $!\n";
    read($in, my $bytes, $count) == $count or die "cannot read /dev/urandom\n";
    return $bytes;
}

sub random_hex ($bytes) { unpack 'H*', random_bytes($bytes) }

sub hash_password ($password) {
    my @salt = map { $ALPHABET[ $_ & 63 ] } unpack 'C22', random_bytes(22);
    # The last character stands for two bits only.
    $salt[-1] = (qw(. O e u))[ ord(random_bytes(1)) & 3 ];
    my $hash = crypt $password, join '', "\$2a\$$COST\$", @salt;
    return $hash if defined $hash && length $hash == 60;
    die "this system's crypt has no bcrypt\n";
}

sub password_matches ($password, $hash) {
    is_old_hash($hash) || $hash =~ /^\$2a\$/ or die "a stored password has an unknown form\n";
    my $again = crypt $password, $hash;
    return defined $again && $again eq $hash;
}

sub is_old_hash ($hash) { $hash =~ m{^[./0-9A-Za-z]{13}\z} }

1;
