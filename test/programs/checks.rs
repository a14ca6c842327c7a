use std::collections::HashMap;
use std::sync::{mpsc, Arc, Mutex};
use std::{fs, panic, process, thread, time::Duration};

fn main() {
    let total = Arc::new(Mutex::new(0u64));
    let (send, receive) = mpsc::channel();
    let workers: Vec<_> = (0..16u64)
        .map(|n| {
            let (total, send) = (total.clone(), send.clone());
            thread::spawn(move || {
                for i in 0..1000 {
                    *total.lock().unwrap() += n * i;
                }
                thread::sleep(Duration::from_millis(n));
                send.send(n).unwrap();
            })
        })
        .collect();
    for worker in workers {
        worker.join().unwrap();
    }
    drop(send);
    let mut words: HashMap<String, usize> = HashMap::new();
    for n in 0..10000 {
        *words.entry(format!("w{}", n % 37)).or_default() += n;
    }
    fs::write("/tmp/rust-file", vec![7u8; 100000]).unwrap();
    let size = fs::metadata("/tmp/rust-file").unwrap().len();
    fs::remove_file("/tmp/rust-file").unwrap();
    println!("{} {} {} {}", total.lock().unwrap(), receive.iter().sum::<u64>(), words["w5"], size);
    panic::set_hook(Box::new(|_| {}));
    println!("panic caught: {}", panic::catch_unwind(|| panic!("no")).is_err());
    process::exit(7);
}
