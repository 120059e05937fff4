# SPDX-License-Identifier: MIT
package PAUSE::Standin::Log;

# A program's log: syslog with facility daemon, which nobody needs to hear, and a file if one is
# named. PAUSE_LOG_STDERR repeats it on standard error.
use v5.36;

use File::Basename qw(dirname);
use POSIX qw(strftime);
use Sys::Syslog qw(openlog syslog setlogsock);
use Time::HiRes ();

sub new ($class, $ident, $file = undef) {
    eval { setlogsock('native'); openlog($ident, 'nofatal,pid', 'daemon') };
    return bless { file => $file && open_file($file) }, $class;
}

sub open_file ($path) {
    -d dirname($path) or die "the directory of '$path' is missing\n";
    open my $out, '>>', $path or die "cannot write '$path': $!\n";
    $out->autoflush(1);
    return $out;
}

sub say ($self, $text) { $self->write(info => $text) }

sub error ($self, $text) { $self->write(err => $text) }

sub write ($self, $priority, $text) {
    $text =~ s/\s+\z//;
    eval { syslog($priority, '%s', $text) };
    my $line = timestamp() . " [$$] $text\n";
    print { $self->{file} } $line if $self->{file};
    print STDERR $line if $ENV{PAUSE_LOG_STDERR};
}

sub timestamp () {
    my ($seconds, $micro) = Time::HiRes::gettimeofday();
    return strftime('%Y-%m-%d %H:%M:%S', localtime $seconds) . sprintf '.%03d', $micro / 1000;
}

1;
