# SPDX-License-Identifier: MIT
package PAUSE::Standin::Web::Api;

# Uploads with a token.
use v5.36;

use JSON::PP ();
use PAUSE::Standin::Token ();
use PAUSE::Standin::Uploads ();
use Plack::Response ();

sub json ($status, %content) {
    my $text = JSON::PP->new->canonical->encode(\%content) . "\n";
    return Plack::Response->new($status, ['Content-Type' => 'application/json'], $text);
}

# Without a token there is no user for the log, which is an error of its own kind: 500.
sub upload ($req) {
    my ($token) = ($req->header('Authorization') // '') =~ /^Bearer\s+(\S+)/i;
    my ($user, $id) = split /:/, $token // '';
    my $fault = PAUSE::Standin::Token::fault($token // '', $req->address);
    PAUSE::Standin::Token::log_use(cut($user, 9), cut($id, 32), $req->address, $fault);
    return json(400, error => $fault) if $fault;
    return take($req, uc $user);
}

# A false token may be of any length; its columns are not.
sub cut ($text, $length) { defined $text ? substr($text, 0, $length) : undef }

sub take ($req, $user) {
    my $file = $req->upload('file') or return json(400, error => 'no file');
    my $name = PAUSE::Standin::Uploads::clean_name($file->filename // '');
    my $refused = $file->size ? PAUSE::Standin::Uploads::name_fault($name) : 'The file is empty.';
    return json(400, error => $refused) if $refused;
    my $added =
        eval { PAUSE::Standin::Uploads::add(user => $user, by => $user, name => $name, from => $file->path) };
    return json(200, result => 'succeeded', uriid => $added) if defined $added;
    my ($status, $text) = (PAUSE::Standin::Uploads::status_of($@), PAUSE::Standin::Uploads::text_of($@));
    die $text if $status == 500;
    return json($status, error => $status == 409 ? 'duplicate file' : 'not taken');
}

1;
