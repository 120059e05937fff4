# SPDX-License-Identifier: MIT
package PAUSE::Standin::Web::Errors;

# What nobody caught becomes a page with status 500. Developers see what happened; with
# MOJO_MODE=production the public does not.
use v5.36;
use parent qw(Plack::Middleware);

use PAUSE::Standin::Log ();
use PAUSE::Standin::Web::Page qw(page escape);

sub call ($self, $env) {
    my $answer = eval { $self->app->($env) };
    return $answer if $answer;
    my $fault = $@ || 'no answer';
    $self->{log} //= PAUSE::Standin::Log->new('pause-web');
    $self->{log}->error("$env->{REQUEST_METHOD} $env->{PATH_INFO}: $fault");
    print { $env->{'psgi.errors'} } "$fault\n" =~ s/\n+\z/\n/r;
    return error_page($env, $fault)->finalize;
}

sub error_page ($env, $fault) {
    return page(500, 'PAUSE: error', '<p>Something went wrong here. Please try again later.</p>')
        if ($ENV{MOJO_MODE} // '') eq 'production';
    my @keys = grep { /^[A-Z]/ && !/AUTHORIZATION|COOKIE/ } sort keys %$env;
    my $dump = join '', map { escape("$_: $env->{$_}") . "\n" } grep { !ref $env->{$_} } @keys;
    return page(500, 'PAUSE: developer page',
        '<pre class="error">' . escape($fault) . "</pre>\n<pre>$dump</pre>");
}

1;
