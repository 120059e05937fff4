# SPDX-License-Identifier: MIT
package PAUSE::Standin::Web::Status;

# How long the application runs, and how many requests all its workers had: each adds a byte to a
# file without a name.
use v5.36;

use Plack::Response ();

sub new ($class) {
    open my $counter, '+>>', undef or die "cannot make the counter: $!\n";
    return bless { counter => $counter, since => time }, $class;
}

sub count ($self) { syswrite $self->{counter}, '.' }

sub answer ($self) {
    my $text = sprintf "stand-in of PAUSE\nuptime: %d\naccess: %d\n",
        time - $self->{since}, -s $self->{counter};
    return Plack::Response->new(200, ['Content-Type' => 'text/plain; charset=utf-8'], $text);
}

1;
