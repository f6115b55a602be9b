//! The load generator against a server of the simplest kind.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    thread,
};

use benches::generator::{Expected, Generator, Mix, Phase, Request, Share, Size, Target};

#[test]
fn a_phase_goes_on_with_the_request_after_the_last_of_the_one_before() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = Vec::new();
        let lines = BufReader::new(stream.try_clone().unwrap()).lines();
        for line in lines.map_while(Result::ok) {
            if let Some(path) = line.strip_prefix("GET ") {
                asked.push(path.trim_end_matches(" HTTP/1.1").to_owned());
            } else if line.is_empty() {
                stream
                    .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                    .unwrap();
            }
        }
        asked
    });
    let mix = Mix::new(vec![Share {
        name: "all".to_owned(),
        weight: 1,
        requests: ["/a", "/b", "/c"].map(Request::get).to_vec(),
        expected: Expected::Status(200),
    }]);
    let size = Size {
        connections: 1,
        streams: 1,
        threads: 1,
    };
    let mut generator = Generator::connect(Target::plain(address, "localhost"), mix, size).unwrap();
    for count in [2, 3] {
        assert_eq!(generator.run(Phase::requests(count)).unwrap().answered, count);
    }
    drop(generator);
    assert_eq!(server.join().unwrap(), ["/a", "/b", "/c", "/a", "/b"]);
}
